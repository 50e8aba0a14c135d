// What the end of a training process means: the run's state, the exit code, and the sentences for a person.
import { formatCount } from '../../planning/units';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import { failureLocation } from '../../protocol/failureLocation';
import type { FailureReport } from '../../protocol/report';
import type { RunRecord } from '../../protocol/runEvents';
import { deathSign } from '../deathEvidence';
import type { EndFacts } from './trainingSupervisorNotes';

export interface Verdict {
  readonly state: Extract<RunRecord['state'], 'completed' | 'stopped' | 'failed'>;
  readonly exitCode: ExitCode;
  /** What happened; what to do about it follows where something is saved. */
  readonly sentences: readonly string[];
}

/** Judges a process by what it told; where it told nothing, by how it died. */
export function judgeAttempt(outcome: EndFacts): Verdict {
  const { ended, reports, killed } = outcome;
  if (ended?.how === 'completed' || endedUntold(outcome)) {
    return { state: 'completed', exitCode: exitCodes.done, sentences: [] };
  }
  if (ended?.how === 'stopped' || ended?.how === 'interrupted') {
    const saved = ended.failure === null ? 'the state is saved' : ended.failure.message;
    return {
      state: 'stopped',
      exitCode: exitCodes.interrupted,
      sentences: [`Stopped ${afterUpdate(outcome)}; ${saved}.`],
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
  if (ended?.failure && ended.exitCode === exitCodes.nothingFits) {
    return { state: 'failed', exitCode: exitCodes.nothingFits, sentences: [ended.failure.message] };
  }
  return { state: 'failed', exitCode: exitCodes.failed, sentences: failureSentences(outcome) };
}

/** A script that trained and ended by itself, without an error, where its end could not be recorded (a full disk). */
export function endedUntold({ code, ended, lastUpdate, killed, folderIsGone, reports }: EndFacts): boolean {
  if (code !== 0 || ended !== null || lastUpdate === null || killed || folderIsGone) return false;
  return !reports.some(({ type }) => ['failed', 'noBackend', 'neverTrained'].includes(type));
}

function failureSentences(outcome: EndFacts): string[] {
  const { ended, reports, output } = outcome;
  const reported = reports.findLast(({ type }) => type === 'failed');
  const failure = ended?.failure ?? (reported?.type === 'failed' ? reported.failure : null);
  if (failure) return [`The script failed ${afterUpdate(outcome)}: ${place(failure)}${failure.message}`];
  if (ended) return [`The script ended with exit code ${ended.exitCode} ${afterUpdate(outcome)}.`];
  const never = reports.find(({ type }) => type === 'neverTrained');
  // Of a script that trained, its launcher says so.
  if (never?.type === 'neverTrained' && outcome.lastUpdate === null) return [neverTrained(never, output)];
  const { code } = outcome;
  if (code !== null && code !== 0) {
    const location = failureLocation(output);
    const where = location ? ` at ${location.file}:${location.line}` : '';
    return [`The script ended with exit code ${code}${where} ${afterUpdate(outcome)}.`, ...lastLines(output)];
  }
  return [`${deathSentence(outcome)}.`, ...lastLines(output)];
}

/** How a process that told nothing of its end died, and where; without a full stop. */
export function deathSentence(outcome: EndFacts): string {
  const { code } = outcome;
  const sign = deathSign(outcome);
  const exit = code === null || code === 0 ? 'ended without a word' : `ended with exit code ${code}`;
  return `The training process ${sign === null ? exit : `was ended by ${sign}`} ${afterUpdate(outcome)}`;
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

function afterUpdate({ lastUpdate, callHasEnded, isResumed }: EndFacts): string {
  if (!lastUpdate) return isResumed ? 'before another update' : 'before the first update';
  const update = `update ${formatCount(lastUpdate.update + 1)} (epoch ${formatCount(lastUpdate.epoch + 1)})`;
  return callHasEnded ? `after its training call had ended with ${update}` : `after ${update}`;
}

/** The last lines that the script wrote, which are on the screen only where nothing else is. */
function lastLines(output: string): string[] {
  return output.trim() === '' ? [] : ['The last of its output is in trainer.log.'];
}
