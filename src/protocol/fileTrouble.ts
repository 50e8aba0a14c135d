// Why a file or folder cannot be written, in words that a person understands.

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

/** True where room on the disk is what is missing. */
export function isOutOfRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
