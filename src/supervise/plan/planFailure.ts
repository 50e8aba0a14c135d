// Why there is no plan: what a person is told, in the terminal and in the editor alike, and the exit code.
import { NoSuchDeviceError } from '../../gpu/select';
import { describeNothingFits, type MemoryParts } from '../../planning/describe';
import { EntryError } from '../../planning/entryError';
import { NothingFitsError } from '../../planning/nothingFits';
import { InputError } from '../../planning/userInput';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { PlanFailure, Remedy } from '../../protocol/planStream';
import { ProfileError } from '../profile/profilerError';
import { ScriptCommandError } from '../scriptCommand';
import { lastWords } from '../train/lastWords';
import { PlanConfigError } from './planConfigFile';
import { ScriptFolderError } from './scriptFolder';

/** What was seen on the way, to explain with where not even one example fits. */
export interface NothingFitsFacts {
  deviceName: string | null;
  parts: MemoryParts | null;
}

export interface ToldFailure {
  readonly failure: PlanFailure;
  readonly exitCode: ExitCode;
}

const nowhere = { file: null, line: null, remedy: null } as const;

/** A planning that was broken off. */
export const interruptedFailure: PlanFailure = {
  ...nowhere,
  kind: 'interrupted',
  message: 'Interrupted: nothing was written, and nothing is left running.',
};

/** An error that nobody foresaw; where it arose is for the log. */
export function internalFailure(error: unknown): PlanFailure {
  return { ...nowhere, kind: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** What is told of an error; null for one that is a mistake of this program. */
export function failureOf(error: unknown, seen: NothingFitsFacts): ToldFailure | null {
  if (error instanceof NothingFitsError) {
    const lines = describeNothingFits({
      needsBytes: error.trials[0]?.peakBytes ?? null,
      hasBytes: error.budgetBytes ?? null,
      ...seen,
    });
    const failure: PlanFailure = { ...nowhere, kind: 'nothingFits', message: lines.join('\n') };
    return { failure, exitCode: exitCodes.nothingFits };
  }
  if (error instanceof ProfileError) return { failure: profileFailure(error), exitCode: error.exitCode };
  const mistakes = [EntryError, InputError, PlanConfigError, ScriptCommandError, NoSuchDeviceError];
  if (!(error instanceof Error) || !mistakes.some((mistake) => error instanceof mistake)) return null;
  const failure: PlanFailure = { ...nowhere, kind: 'usage', message: error.message };
  const place = placeInConfig(error);
  return {
    failure: place === null ? failure : { ...failure, ...place, remedy: 'openConfig' },
    exitCode: exitCodes.usage,
  };
}

/** Where a person mends it; null where that is no config. */
function placeInConfig(error: Error): { file: string; line: number | null } | null {
  if (error instanceof PlanConfigError) return error.place;
  return error instanceof ScriptFolderError && error.config !== null
    ? { file: error.config, line: null }
    : null;
}

const kinds = { failed: 'script', neverTrained: 'neverTrained', noBackend: 'noBackend' } as const;

function profileFailure(error: ProfileError): PlanFailure {
  const { problem, failure, stderr } = error;
  const lines = [error.message, ...(failure === null ? lastWords(stderr) : [])];
  return {
    kind: kinds[problem],
    message: lines.join('\n'),
    file: failure?.file ?? null,
    line: failure?.line ?? null,
    remedy: remedyOf(error),
  };
}

/** What a script says that has no TensorFlow.js to load: Node's own words, for `require` and for `import`. */
const withoutTensorflowJs = /Cannot find (?:module|package) '@tensorflow\/tfjs[^']*'/;
/** What the engine advises for a native part that is missing or broken, and what tfjs-node itself says of one. */
const withoutNativePart = /batch-planner setup tensorflow|native addon module|ERR_DLOPEN_FAILED/;

function remedyOf({ problem, message, failure, stderr }: ProfileError): Remedy | null {
  // What a script printed counts where nothing else tells why it ended, and never where it just did not train.
  if (problem === 'neverTrained') return null;
  const said = failure === null ? `${message}\n${stderr}` : `${message}\n${failure.message}`;
  if (withoutTensorflowJs.test(said)) return 'installTensorflowJs';
  return withoutNativePart.test(said) ? 'setUpTensorflow' : null;
}
