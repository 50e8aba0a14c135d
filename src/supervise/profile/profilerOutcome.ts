// Reads one measuring child's reports and its end: what it found, or the error that a person is shown.
import type { PlanExactness } from '../../planning/plan';
import type { PlanWarning } from '../../planning/warning';
import type { EngineReport, FailureReport, Inspection, TrialMeasurement } from '../../protocol/report';
import type { MeasureOutcome } from './engineProcess';
import { failureOnStderr, ProfileError, withLocation } from './profilerError';

type ReportOf<Type extends EngineReport['type']> = Extract<EngineReport, { type: Type }>;

/** What one child found. */
export interface ChildFindings {
  readonly backend: ReportOf<'backend'> | null;
  readonly process: ReportOf<'process'> | null;
  readonly inspection: Inspection | null;
  readonly exactness: PlanExactness | null;
  readonly warnings: readonly PlanWarning[];
  readonly fits: readonly TrialMeasurement[];
  readonly gradientLine: ReportOf<'gradientLine'> | null;
  readonly outOfMemory: {
    readonly microbatch: number;
    readonly message: string;
    /** Bytes of tensors when memory ended; undefined where the process died of it. */
    readonly peakBytes?: number | undefined;
  } | null;
  /** The child ended in the self-check, for want of memory or of the sudden; without it there may be an answer. */
  readonly endedInSelfCheck: boolean;
  /** Why its backend cannot run this script; null where it can. */
  readonly unfit: string | null;
  /** Why there is no answer; null where there is one. */
  readonly problem: ProfileError | null;
}

/** Puts together what a child reported and how it ended. */
export function findingsOf(outcome: MeasureOutcome): ChildFindings {
  const last = <Type extends EngineReport['type']>(type: Type): ReportOf<Type> | null =>
    (outcome.reports.findLast((report) => report.type === type) as ReportOf<Type> | undefined) ?? null;
  const all = <Type extends EngineReport['type']>(type: Type): ReportOf<Type>[] =>
    outcome.reports.filter((report): report is ReportOf<Type> => report.type === type);
  const check = last('selfCheck');
  const unfit = last('backendUnfit')?.reason ?? unfitOnStderr(outcome);
  const died = outcome.end.how === 'died' ? outcome.end.verdict : null;
  return {
    backend: last('backend'),
    process: last('process'),
    inspection: last('inspected')?.inspection ?? null,
    exactness: check === null ? null : { rows: check.rows, relativeDifference: check.relativeDifference },
    warnings: all('warning').map(({ warning }) => warning),
    fits: all('trialFits').map(({ measurement }) => measurement),
    gradientLine: last('gradientLine'),
    outOfMemory: last('trialOutOfMemory') ?? (died?.outcome === 'outOfMemory' ? died : null),
    endedInSelfCheck: endedInSelfCheck(outcome),
    unfit,
    problem: unfit === null ? problemOf(outcome) : null,
  };
}

function endedInSelfCheck({ reports, end }: MeasureOutcome): boolean {
  const told = (...types: EngineReport['type'][]): boolean =>
    reports.some(({ type }) => types.includes(type));
  if (told('selfCheckOutOfMemory')) return true;
  // The backend was there, and no trial had begun when the process broke off.
  return (
    end.how === 'died' && end.abrupt && told('backend') && !told('trialStarted', 'selfCheck', 'inspected')
  );
}

/** A script that catches the error of its backend, prints it and exits tells of it on stderr only. */
function unfitOnStderr({ reports, stderr }: MeasureOutcome): string | null {
  const ended = reports.findLast((report) => report.type === 'neverTrained');
  if (ended === undefined || ended.code === 0) return null;
  const kernel = /Kernel '([^']+)' not registered for backend '([^']+)'/.exec(stderr);
  if (kernel !== null) return `the ${kernel[2]} backend has no kernel ${kernel[1]}`;
  return /OffscreenCanvas is not defined/.test(stderr)
    ? 'the script reads values with dataSync(), which WebGPU cannot do in Node'
    : null;
}

function problemOf({ reports, end, stderr }: MeasureOutcome): ProfileError | null {
  for (const report of reports) {
    if (report.type === 'noBackend') return new ProfileError('noBackend', report.message, null, stderr);
    if (report.type === 'failed') return scriptFailed(withLocation(report.failure, stderr), stderr);
  }
  if (end.how === 'died' && end.verdict.outcome === 'failed') {
    const onStderr = failureOnStderr(stderr);
    const started = reports.some(({ type }) => type === 'trialStarted' || type === 'inspected');
    // Node's own report of an error says more than the exit code does.
    if (!started && onStderr !== null) return scriptFailed(onStderr, stderr);
    return new ProfileError('failed', end.verdict.message, onStderr, stderr);
  }
  const endings = reports.filter((report) => report.type === 'neverTrained');
  // A launcher tells so, too: what counts is the process that had TensorFlow.js.
  const ending =
    endings.find(({ ownLoop }) => ownLoop) ??
    endings.find(({ tensorflowLoaded }) => tensorflowLoaded) ??
    endings[0];
  if (ending === undefined || reports.some(({ type }) => type === 'inspected')) return null;
  return neverTrained(ending, stderr);
}

function scriptFailed(failure: FailureReport, stderr: string): ProfileError {
  const place =
    failure.file === null ? '' : ` at ${failure.file}${failure.line === null ? '' : `:${failure.line}`}`;
  // An error without its class is a sentence of the product's own, about a model or its data.
  const isSentence = !/^[\w$]+: /.test(failure.message);
  const message = isSentence ? failure.message : `The script failed${place}: ${failure.message}`;
  return new ProfileError('failed', message, failure, stderr);
}

function neverTrained(
  { code, ownLoop, tensorflowLoaded }: ReportOf<'neverTrained'>,
  stderr: string,
): ProfileError {
  if (ownLoop) {
    return new ProfileError(
      'neverTrained',
      'The script trains with a loop of its own (optimizer.minimize or gradients), which cannot be planned: ' +
        'only fit, fitDataset and trainOnBatch of a Layers model can.',
    );
  }
  const failure = code === 0 ? null : failureOnStderr(stderr);
  if (failure !== null) return scriptFailed(failure, stderr);
  const how = code === 0 ? 'The script ended' : `The script ended with exit code ${code}`;
  return new ProfileError(
    code === 0 ? 'neverTrained' : 'failed',
    tensorflowLoaded
      ? `${how} without calling fit, fitDataset or trainOnBatch.`
      : `${how} without loading TensorFlow.js, or with a copy bundled into it, which cannot be hooked.`,
    null,
    stderr,
  );
}
