// Why a file or folder cannot be written, in words that a person understands, and what can be done.

/** By the system's code, without a full stop; what is not listed is told in the system's own words. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'a file has reached the largest size that is allowed',
  EIO: 'the disk reports an error',
  ENOENT: 'its folder is gone',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file',
};

/** The cause of a file system's error. */
export function fileTrouble(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ''] ?? (error instanceof Error ? message : String(error));
}

/** What a person can do about it, by the system's code; for what is not listed there is nothing better to say. */
const remedies: Readonly<Record<string, string>> = {
  EACCES: 'Allow it to be written',
  EPERM: 'Allow it to be written',
  EROFS: 'Make it writable',
  ENOSPC: 'Make room on its disk',
  EDQUOT: 'Make room on its disk',
  EFBIG: 'Raise that limit',
  EIO: 'Look after the disk',
  ENOENT: 'Put it back',
  ENOTDIR: 'Put it back',
};

/** What can be done about a file system's error in a folder that was named before: a clause without its end. */
export function fileRemedy(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return remedies[code ?? ''] ?? 'Put it right';
}

/** True where room on the disk is what is missing. */
export function isOutOfRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
