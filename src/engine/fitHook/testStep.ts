// The validation step in slices, so that validating never needs more memory than a microbatch of training.
import { splitBatch } from '../../planning/microbatches';
import type { Core, InnerModel, StepData, StepFunction, Tensor } from './innerModel';
import { rowsOf, sliceBatch } from './sliceBatch';
import { StepOutputs } from './stepOutputs';
import { validationBatchLevel } from './trainingStep';

/**
 * The outputs of `test` for a batch, computed in slices of at most `largest` rows. Losses and per-example metrics are
 * weighted by nᵢ/B (in inference no stock layer depends on the other rows); batch-level metrics are evaluated on the
 * whole batch. The tensors belong to the caller's tidy, as those of the plain step do.
 */
export function runTestInSlices(
  core: Core,
  model: InnerModel,
  test: StepFunction,
  data: StepData,
  largest: number,
): Tensor[] {
  const rows = rowsOf(data);
  if (rows <= largest) return test(data);
  const outputs = new StepOutputs(core, model, validationBatchLevel(core, model), model.outputs.length);
  try {
    let start = 0;
    for (const size of splitBatch(rows, largest)) {
      const from = start;
      core.tidy(() => {
        const part = outputs.runPart(() => test(sliceBatch(core, data, from, size)));
        outputs.add(part, () => size / rows);
      });
      start += size;
    }
    const finished = outputs.finish(data);
    return finished.map((output) => {
      const owned = core.clone(output);
      output.dispose();
      return owned;
    });
  } finally {
    outputs.forget();
  }
}
