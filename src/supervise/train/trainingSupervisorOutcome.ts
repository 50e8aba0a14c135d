// What the end of a training process means: the run's state, the exit code, and the sentences for a person.
import { formatCount } from '../../planning/units';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import { failureLocation } from '../../protocol/failureLocation';
import type { FailureReport } from '../../protocol/report';
import type { RunRecord } from '../../protocol/runEvents';
import type { AttemptOutcome } from './trainingSupervisorAttempt';

export interface Verdict {
  readonly state: Extract<RunRecord['state'], 'completed' | 'stopped' | 'failed'>;
  readonly exitCode: ExitCode;
  /** What happened; what to do about it follows where something is saved. */
  readonly sentences: readonly string[];
}

/** Judges a process by what it told; where it told nothing, by how it died. */
export function judgeAttempt(outcome: AttemptOutcome): Verdict {
  const { ended, reports, killed } = outcome;
  if (ended?.how === 'completed') return { state: 'completed', exitCode: exitCodes.done, sentences: [] };
  if (ended?.how === 'stopped' || ended?.how === 'interrupted') {
    return {
      state: 'stopped',
      exitCode: exitCodes.interrupted,
      sentences: [`Stopped ${afterUpdate(outcome)}; the state is saved.`],
    };
  }
  if (outcome.folderIsGone) {
    const sentence = `The run folder was deleted, so the training was ended ${afterUpdate(outcome)}.`;
    return { state: 'failed', exitCode: exitCodes.failed, sentences: [sentence] };
  }
  if (killed) {
    return {
      state: 'stopped',
      exitCode: exitCodes.interrupted,
      sentences: [`Ended at once, ${afterUpdate(outcome)}.`],
    };
  }
  const noBackend = reports.find(({ type }) => type === 'noBackend');
  if (noBackend?.type === 'noBackend') {
    return { state: 'failed', exitCode: exitCodes.noBackend, sentences: [noBackend.message] };
  }
  return { state: 'failed', exitCode: exitCodes.failed, sentences: failureSentences(outcome) };
}

function failureSentences(outcome: AttemptOutcome): string[] {
  const { ended, reports, output } = outcome;
  const reported = reports.findLast(({ type }) => type === 'failed');
  const failure = ended?.failure ?? (reported?.type === 'failed' ? reported.failure : null);
  if (failure) return [`The script failed ${afterUpdate(outcome)}: ${place(failure)}${failure.message}`];
  if (ended) return [`The script ended with exit code ${ended.exitCode} ${afterUpdate(outcome)}.`];
  const never = reports.find(({ type }) => type === 'neverTrained');
  if (never?.type === 'neverTrained') return [neverTrained(never, output)];
  const { code, signal } = outcome;
  if (code !== null && code !== 0) {
    const location = failureLocation(output);
    const where = location ? ` at ${location.file}:${location.line}` : '';
    return [`The script ended with exit code ${code}${where} ${afterUpdate(outcome)}.`, ...lastLines(output)];
  }
  const how = signal ? `was ended by ${signal}` : 'ended without a word';
  return [`The training process ${how} ${afterUpdate(outcome)}.`, ...lastLines(output)];
}

function neverTrained({ code, ownLoop }: { code: number; ownLoop: boolean }, output: string): string {
  if (code !== 0) {
    const location = failureLocation(output);
    const where = location ? ` at ${location.file}:${location.line}` : '';
    return [`The script ended with exit code ${code}${where} before it trained.`, ...lastLines(output)].join(
      '\n',
    );
  }
  if (ownLoop) {
    return 'The script trains with a loop of its own, not through fit, fitDataset or trainOnBatch: it was not accumulated.';
  }
  return 'The script ended without training: it never called fit, fitDataset or trainOnBatch.';
}

function place({ file, line }: FailureReport): string {
  return file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;
}

function afterUpdate({ lastUpdate, callHasEnded, isResumed }: AttemptOutcome): string {
  if (!lastUpdate) return isResumed ? 'before another update' : 'before the first update';
  const update = `update ${formatCount(lastUpdate.update + 1)} (epoch ${formatCount(lastUpdate.epoch + 1)})`;
  return callHasEnded ? `after its training call had ended with ${update}` : `after ${update}`;
}

/** The last lines that the script wrote, which are on the screen only where nothing else is. */
function lastLines(output: string): string[] {
  return output.trim() === '' ? [] : ['The last of its output is in trainer.log.'];
}
