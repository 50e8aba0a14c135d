// Whether a process died for want of memory: only where something says so. Shared by measuring and training.
import { outOfMemoryLine } from '../protocol/outOfMemoryText';

/** How a process ended, and what was seen of it. */
export interface DeathEvidence {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Last part of what it printed. */
  readonly text: string;
  /** True where the kernel's out-of-memory killer was at work meanwhile; null: cannot be told here. */
  readonly killedByKernel: boolean | null;
  /** Whether nearly all memory that it could have was seen in use; null: nothing was seen. */
  readonly memoryExhausted: boolean | null;
}

/** Exit codes of shells and wrappers that tell of a signal (128 + number), and Windows' status codes. */
const signOfCode: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  133: 'SIGTRAP',
  134: 'SIGABRT',
  135: 'SIGBUS',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  // STATUS_ILLEGAL_INSTRUCTION, STATUS_ACCESS_VIOLATION, STATUS_STACK_BUFFER_OVERRUN (also how abort() ends).
  0xc000001d: 'SIGILL',
  0xc0000005: 'SIGSEGV',
  0xc0000409: 'SIGABRT',
  0xc0000017: 'STATUS_NO_MEMORY',
  // All memory and the page file are promised to somebody.
  0xc000012d: 'STATUS_COMMITMENT_LIMIT',
};
const windowsOfMemory: readonly (string | undefined)[] = ['STATUS_NO_MEMORY', 'STATUS_COMMITMENT_LIMIT'];

/** The signal or status that a process ended by; null where it exited by itself. */
export function deathSign({ code, signal }: Pick<DeathEvidence, 'code' | 'signal'>): string | null {
  // Node gives Windows' codes signed or not.
  return signal ?? (code === null ? null : (signOfCode[code >>> 0] ?? null));
}

/**
 * Why a death is put down to memory, for a person: the text of an allocation that failed, the kernel's out-of-memory
 * killer, or nearly all memory in use. Null where nothing says so: somebody else may have killed the process, and a
 * crash is a bug until something says otherwise. An exit of the process's own is no death.
 */
export function memoryDeath(evidence: DeathEvidence): string | null {
  const sign = deathSign(evidence);
  if (sign === null) return null;
  if (windowsOfMemory.includes(sign)) return 'the process ended for want of memory';
  const line = outOfMemoryLine(evidence.text);
  if (line !== null) return line;
  if (sign === 'SIGKILL' && evidence.killedByKernel === true) {
    return 'the system ended the process because memory ran out';
  }
  return evidence.memoryExhausted === true
    ? `the process ended (${sign}) with nearly all memory in use`
    : null;
}
