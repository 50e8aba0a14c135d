// What the death of an engine child means: an out-of-memory only where something says so, otherwise a failure.
import { outOfMemoryLine, saysOutOfMemory } from '../../protocol/outOfMemoryText';

/** How a child ended, and what was seen of it. */
export interface ExitEvidence {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Size of the trial that had begun and not ended; null: none. */
  readonly trialUnderWay: number | null;
  /** Last part of what the child printed on stderr. */
  readonly stderr: string;
  /** True where the kernel's out-of-memory killer was at work meanwhile; null: cannot be told here. */
  readonly killedByKernel: boolean | null;
  /** Whether nearly all memory that it could have was seen in use during the trial; null: nothing was seen. */
  readonly memoryExhausted: boolean | null;
}

export type ExitVerdict =
  | { readonly outcome: 'outOfMemory'; readonly microbatch: number; readonly message: string }
  | { readonly outcome: 'failed'; readonly message: string };

/** Exit codes of shells and wrappers that tell of a signal (128 + number), and Windows' status codes. */
const signalOfCode: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  133: 'SIGTRAP',
  134: 'SIGABRT',
  135: 'SIGBUS',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  // STATUS_ACCESS_VIOLATION, STATUS_STACK_BUFFER_OVERRUN (also how abort() ends), STATUS_NO_MEMORY.
  0xc0000005: 'SIGSEGV',
  0xc0000409: 'SIGABRT',
  0xc0000017: 'STATUS_NO_MEMORY',
};

/**
 * Judges a child that died without telling the outcome of its trial. A trial must have been under way, and there must
 * be evidence of memory: the text of an allocation that failed, the kernel's out-of-memory killer, or nearly all
 * memory in use. A segmentation fault or a kill without any of these is a failure and shown as one: somebody else
 * may have killed the process, and a crash is a bug until something says otherwise.
 */
export function judgeExit(evidence: ExitEvidence): ExitVerdict {
  const { code, signal, trialUnderWay, stderr, killedByKernel, memoryExhausted } = evidence;
  const sign = signal ?? (code === null ? undefined : signalOfCode[code >>> 0]);
  if (trialUnderWay === null) return { outcome: 'failed', message: describeDeath(evidence, sign) };
  const outOfMemory = (message: string): ExitVerdict => ({
    outcome: 'outOfMemory',
    microbatch: trialUnderWay,
    message,
  });
  if (sign === 'STATUS_NO_MEMORY') return outOfMemory('the process ended for want of memory');
  if (sign !== undefined) {
    const line = outOfMemoryLine(stderr);
    if (line !== null) return outOfMemory(line);
    if (sign === 'SIGKILL' && killedByKernel === true) {
      return outOfMemory('the system ended the process because memory ran out');
    }
    if (memoryExhausted === true) {
      return outOfMemory(`the process ended (${sign}) with nearly all memory in use`);
    }
  }
  return { outcome: 'failed', message: describeDeath(evidence, sign) };
}

function describeDeath(evidence: ExitEvidence, sign: string | undefined): string {
  const { code, trialUnderWay, stderr } = evidence;
  const when =
    trialUnderWay === null ? 'before its first trial' : `while ${trialUnderWay} at once were measured`;
  if (sign === 'SIGKILL') {
    return `The script's process was killed from outside (SIGKILL) ${when}; nothing says that memory ran out.`;
  }
  if (sign !== undefined) {
    const memory = saysOutOfMemory(stderr)
      ? `: ${outOfMemoryLine(stderr) ?? ''}`
      : '; nothing says that memory ran out.';
    return `The script's process crashed (${sign}) ${when}${memory}`;
  }
  return `The script's process ended with exit code ${code ?? 0} ${when}.`;
}
