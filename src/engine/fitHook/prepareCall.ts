// What happens before a training call: it is judged, checked and told, and its arguments are fitted to the target.
import type { FitObserver } from '../contracts';
import { leaves, mapLeaves } from './callFacts';
import type { CallState } from './callState';
import { datasetOfCall } from './datasetOfCall';
import type { Core, Tensor } from './innerModel';
import type { Judgements } from './judgement';
import { sliceRows } from './sliceBatch';
import { isBatchSource, type Batch } from './targetBatch';

/** The arguments with which tfjs' own method goes on, and what to free when it ends. */
export interface PreparedCall {
  readonly args: readonly unknown[];
  dispose(): void;
}

/** What preparing a call needs. */
export interface Preparation {
  readonly core: Core;
  readonly judgements: Judgements;
  readonly observer: FitObserver;
  /** The hook's target, for a warning where a call cannot have it. */
  readonly target: number | null;
}

/**
 * Judges the call, runs the self-check where the data is at hand, tells observers, and gives the arguments for tfjs'
 * own method: the target as batch size, or a regrouped dataset.
 * @throws what an observer throws, and what tfjs says of data that does not fit the model.
 */
export async function prepareCall(
  { core, judgements, observer, target }: Preparation,
  call: CallState,
  args: readonly unknown[],
): Promise<PreparedCall> {
  const [first, second] = args;
  const options = optionsOf(
    call.method === 'fit' ? args[2] : call.method === 'fitDataset' ? second : undefined,
  );
  judgements.judge(call, options['classWeight'] !== undefined && options['classWeight'] !== null);
  if (call.method !== 'fitDataset' && judgements.wantsCheck(call)) {
    await checkOnFirstRows(core, judgements, call, first, second);
  }
  if (
    call.method === 'trainOnBatch' &&
    target !== null &&
    call.passThrough === null &&
    call.examples !== target
  ) {
    judgements.warn(call, {
      code: 'note',
      message: `trainOnBatch trains on the batch that the script gives it; the target batch size of ${target} does not apply.`,
      layers: [],
    });
  }
  await observer.callStarted?.(call);
  return argumentsOf(core, judgements, call, args, options);
}

function argumentsOf(
  core: Core,
  judgements: Judgements,
  call: CallState,
  args: readonly unknown[],
  options: Record<string, unknown>,
): PreparedCall {
  const run = (fitted: readonly unknown[], dispose = (): void => undefined): PreparedCall => ({
    args: fitted,
    dispose,
  });
  const [first, second] = args;
  if (call.method === 'fit') {
    // A batch size that tfjs refuses stays, so that tfjs refuses it.
    return call.target === null || call.scriptBatchSize === null
      ? run(args)
      : run([first, second, { ...options, batchSize: call.target }]);
  }
  if (call.method === 'fitDataset' && isBatchSource(first) && second !== undefined && second !== null) {
    const inspect = async (batch: Batch): Promise<void> => {
      const rows = batch.xs[0]?.shape[0] ?? 0;
      call.scriptBatchSize = rows;
      if (!judgements.wantsCheck(call)) return;
      const few = Math.min(rows, judgements.checkRows);
      const data = [...batch.xs, ...batch.ys].map((tensor) => sliceRows(core, tensor, 0, few));
      try {
        await judgements.check(call, data);
      } finally {
        core.dispose(data);
      }
    };
    const fitted = datasetOfCall(core, call, first, options, inspect);
    return run([fitted.dataset, fitted.args], () => fitted.dispose());
  }
  return run(args);
}

/** The self-check on the first rows of `x` and `y`, made into a batch by tfjs itself. */
async function checkOnFirstRows(
  core: Core,
  judgements: Judgements,
  call: CallState,
  x: unknown,
  y: unknown,
): Promise<void> {
  const tensors = [leaves(core, x), leaves(core, y)].flatMap((found) => found ?? [null]);
  const rows = Math.min(judgements.checkRows, call.examples ?? 0);
  // Data that tfjs would refuse is left for it to refuse.
  if (rows < 2 || tensors.some((tensor) => tensor === null || (tensor.shape[0] ?? 0) < rows)) return;
  const sliced: Tensor[] = [];
  const slice = (tensor: Tensor): Tensor => {
    const part = sliceRows(core, tensor, 0, rows);
    sliced.push(part);
    return part;
  };
  let standard: Tensor[] = [];
  try {
    const model = call.inner;
    const [xs, ys] = await model.standardizeUserData(
      mapLeaves(core, x, slice),
      mapLeaves(core, y, slice),
      null,
      null,
      false,
      rows,
    );
    standard = [...xs, ...ys];
    await judgements.check(call, standard);
  } finally {
    // What tfjs made itself (a dimension added) is not among the slices.
    core.dispose([...new Set([...sliced, ...standard])]);
  }
}

function optionsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
