// What the death of an engine child means: an out-of-memory only where something says so, otherwise a failure.
import { outOfMemoryLine } from '../../protocol/outOfMemoryText';
import { deathSign, memoryDeath, type DeathEvidence } from '../deathEvidence';

/** How a child ended, and what was seen of it during its trial. */
export interface ExitEvidence extends Omit<DeathEvidence, 'text'> {
  /** Size of the trial that had begun and not ended; null: none. */
  readonly trialUnderWay: number | null;
  /** Last part of what the child printed on stderr. */
  readonly stderr: string;
}

export type ExitVerdict =
  | { readonly outcome: 'outOfMemory'; readonly microbatch: number; readonly message: string }
  | { readonly outcome: 'failed'; readonly message: string };

/**
 * Judges a child that died without telling the outcome of its trial. A trial must have been under way, and there must
 * be evidence of memory.
 */
export function judgeExit(evidence: ExitEvidence): ExitVerdict {
  const { trialUnderWay, stderr } = evidence;
  const memory = trialUnderWay === null ? null : memoryDeath({ ...evidence, text: stderr });
  return trialUnderWay === null || memory === null
    ? { outcome: 'failed', message: describeDeath(evidence) }
    : { outcome: 'outOfMemory', microbatch: trialUnderWay, message: memory };
}

function describeDeath(evidence: ExitEvidence): string {
  const { code, trialUnderWay, stderr } = evidence;
  const sign = deathSign(evidence);
  const when =
    trialUnderWay === null ? 'before its first trial' : `while ${trialUnderWay} at once were measured`;
  if (sign === 'SIGKILL') {
    return `The script's process was killed from outside (SIGKILL) ${when}; nothing says that memory ran out.`;
  }
  if (sign !== null) {
    const line = outOfMemoryLine(stderr);
    const memory = line === null ? '; nothing says that memory ran out.' : `: ${line}`;
    return `The script's process crashed (${sign}) ${when}${memory}`;
  }
  return `The script's process ended with exit code ${code ?? 0} ${when}.`;
}
