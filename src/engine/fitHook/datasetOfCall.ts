// The dataset that fitDataset iterates in place of the script's: its first batch looked at, its batches regrouped.
import type { CallState } from './callState';
import type { Core } from './innerModel';
import { flattenBatch, Regrouper, type Batch, type BatchIterator, type BatchSource } from './targetBatch';

type Arguments = Readonly<Record<string, unknown>>;

/** A dataset and arguments for tfjs' own fitDataset, and what to free when it ends. */
export interface DatasetOfCall {
  readonly dataset: BatchSource;
  readonly args: Arguments;
  dispose(): void;
}

/**
 * @param inspect awaited with the first batch before it is trained on: here the batch size becomes known and the
 * self-check runs, which may turn the call into a pass-through; so it decides how that very batch is used.
 */
export function datasetOfCall(
  core: Core,
  call: CallState,
  source: BatchSource,
  args: Arguments,
  inspect: (batch: Batch) => Promise<void>,
): DatasetOfCall {
  const watched = watchFirstBatch(core, call, source, inspect);
  if (call.target === null) return { dataset: watched, args, dispose: () => undefined };

  const { batchesPerEpoch, ...others } = args;
  const batches = typeof batchesPerEpoch === 'number' ? batchesPerEpoch : null;
  const open: Regrouper[] = [];
  const warnRanOut = (taken: number): void => {
    console.warn(
      `The dataset ended after ${taken} of the ${batches} batches that batchesPerEpoch asks for; the epoch ends ` +
        'here. repeat() makes a dataset go on.',
    );
  };
  // With batchesPerEpoch tfjs goes on with one iterator through all epochs, else it takes a new one for each.
  let shared: Promise<BatchIterator> | null = null;
  const dataset: BatchSource = {
    // Updates per epoch, for progress bars: null as long as the script's own batch size is not known.
    get size() {
      return call.updatesPerEpoch;
    },
    iterator: async () => {
      if (batches !== null) shared ??= watched.iterator();
      const iterator = await (shared ?? watched.iterator());
      const regrouper = new Regrouper(core, call.inner, iterator, () => call.target, batches, warnRanOut);
      open.push(regrouper);
      return regrouper;
    },
  };
  return {
    dataset,
    args: others,
    dispose: () => {
      for (const regrouper of open) regrouper.dispose();
    },
  };
}

function watchFirstBatch(
  core: Core,
  call: CallState,
  source: BatchSource,
  inspect: (batch: Batch) => Promise<void>,
): BatchSource {
  let inspected = false;
  return {
    size: source.size ?? null,
    iterator: async () => {
      const iterator = await source.iterator();
      return {
        next: async () => {
          const item = await iterator.next();
          const batch = inspected ? null : flattenBatch(core, call.inner, item.value);
          if (batch !== null) {
            inspected = true;
            await inspect(batch);
          }
          return item;
        },
      };
    },
  };
}
