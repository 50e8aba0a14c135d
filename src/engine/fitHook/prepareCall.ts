// What happens before a training call: it is judged, checked and told, and its arguments are fitted to the target.
import type { CallDirective, FitObserver } from '../contracts';
import { leaves, mapLeaves } from './callFacts';
import type { CallState } from './callState';
import { datasetOfCall } from './datasetOfCall';
import type { Core, Layers, Tensor } from './innerModel';
import type { Judgements } from './judgement';
import { sliceRows } from './sliceBatch';
import { isBatchSource, type Batch } from './targetBatch';

/** How a call goes on: with these arguments for tfjs' own method, or not at all. */
export type PreparedCall =
  | { readonly kind: 'run'; readonly args: readonly unknown[]; dispose(): void }
  | { readonly kind: 'skip'; readonly result: unknown };

/** What preparing a call needs. */
export interface Preparation {
  readonly core: Core;
  readonly layers: Layers;
  readonly judgements: Judgements;
  readonly observer: FitObserver;
  /** The hook's target, for a warning where a call cannot have it. */
  readonly target: number | null;
}

/**
 * Judges the call, runs the self-check where the data is at hand, tells observers, and gives the arguments for tfjs'
 * own method: the target as batch size, a regrouped dataset, a later first epoch.
 * @throws what an observer throws, and what tfjs says of data that does not fit the model.
 */
export async function prepareCall(
  { core, layers, judgements, observer, target }: Preparation,
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
  const directive = observer.directCall?.(call) ?? null;
  if (directive?.skip !== undefined) {
    return { kind: 'skip', result: skippedResult(layers, call, directive.skip.epochs) };
  }
  return argumentsOf(core, judgements, call, args, options, directive);
}

function argumentsOf(
  core: Core,
  judgements: Judgements,
  call: CallState,
  args: readonly unknown[],
  options: Record<string, unknown>,
  directive: CallDirective | null,
): PreparedCall {
  const run = (fitted: readonly unknown[], dispose = (): void => undefined): PreparedCall => ({
    kind: 'run',
    args: fitted,
    dispose,
  });
  const later = directive?.initialEpoch === undefined ? {} : { initialEpoch: directive.initialEpoch };
  const [first, second] = args;
  if (call.method === 'fit') {
    // A batch size that tfjs refuses stays, so that tfjs refuses it.
    const size = call.target === null || call.scriptBatchSize === null ? {} : { batchSize: call.target };
    const changed = { ...size, ...later };
    return Object.keys(changed).length === 0 ? run(args) : run([first, second, { ...options, ...changed }]);
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
    const fitted = datasetOfCall(core, call, first, { ...options, ...later }, inspect);
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

/** What a call that is passed over returns: the History that it had, or the last values of trainOnBatch. */
function skippedResult(
  layers: Layers,
  call: CallState,
  epochs: readonly Readonly<Record<string, number>>[],
): unknown {
  const model = call.inner;
  if (call.method === 'trainOnBatch') {
    const last = epochs.at(-1) ?? {};
    const values = model.getDedupedMetricsNames().map((name) => last[name] ?? Number.NaN);
    return values.length === 1 ? values[0] : values;
  }
  const history = new layers.History();
  history.epoch = epochs.map((_, epoch) => epoch);
  history.history = {};
  for (const logs of epochs) {
    for (const [name, value] of Object.entries(logs)) (history.history[name] ??= []).push(value);
  }
  model.history = history;
  return history;
}

function optionsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
