// The self-check: does this model's gradient really add up from unequal parts of a batch? Measured on a few rows.
import {
  withMinimize,
  type Core,
  type InnerModel,
  type StepData,
  type StepFunction,
  type Tensor,
} from './innerModel';
import { withoutTrace } from './withoutTrace';
import { rowsOf, sliceBatch } from './sliceBatch';

/** Most rows that the check uses. */
export const selfCheckRows = 8;
/** Largest relative difference that counts as equal. */
export const selfCheckTolerance = 1e-4;
/** However rough a device's arithmetic: a difference above this is the loss, not the rounding. */
const largestTolerance = 5e-3;
/** A difference within this many times the device's own noise is not held against the loss. */
const noiseFactor = 8;

/** What the check found. */
export type SelfCheck =
  | {
      readonly kind: 'measured';
      readonly rows: number;
      readonly relativeDifference: number;
      readonly passed: boolean;
    }
  /** `ofData`: other data of the same model may be judged. */
  | { readonly kind: 'inconclusive'; readonly reason: string; readonly ofData: boolean };

/** A batch whose gradient counts `weight` times. */
interface Weighted {
  readonly data: StepData;
  readonly weight: number;
}

/**
 * Compares the gradient of all rows with that of two unequal parts, weighted nᵢ/B and added: the largest difference
 * of any element, relative to the largest element. Judges the loss and the layers of the script's own: layers whose
 * nature is known (random ones, batch normalization, recurrent dropout) run as in inference. Nothing is left behind:
 * no weight, moving average, optimizer state or state of `Math.random` changes, and no tensor stays.
 *
 * On devices that round coarsely (TF32), the same rows twice over show how much of a difference is rounding.
 * @param data a training step's data of 2 to 8 rows.
 */
export async function checkEquality(
  core: Core,
  model: InnerModel,
  train: StepFunction,
  data: StepData,
): Promise<SelfCheck> {
  const rows = rowsOf(data);
  const cut = Math.min(rows - 1, Math.floor(rows / 2) + 1);
  const whole = { data, weight: 1 };
  const check = { core, model, train };

  const inParts = await differ(check, whole, () => [
    { data: sliceBatch(core, data, 0, cut), weight: cut / rows },
    { data: sliceBatch(core, data, cut, rows - cut), weight: (rows - cut) / rows },
  ]);
  if (!Number.isFinite(inParts.largest)) {
    return { kind: 'inconclusive', reason: 'the gradients of its first rows are not finite', ofData: true };
  }
  const measured = { kind: 'measured', rows, relativeDifference: inParts.relative } as const;
  if (inParts.relative <= selfCheckTolerance) return { ...measured, passed: true };

  // The rare way: is it the loss, or chance in a layer of the script's own, or the device's rounding?
  const again = await differ(check, whole, () => [whole]);
  if (again.relative > selfCheckTolerance) {
    return {
      kind: 'inconclusive',
      ofData: false,
      reason: 'it computes another gradient each time (a random layer of its own)',
    };
  }
  const rounding = await differ(check, whole, () => [
    { data: data.map((one) => (one === null ? null : core.concat([one, one], 0))), weight: 1 },
  ]);
  const tolerance = Math.min(largestTolerance, Math.max(selfCheckTolerance, noiseFactor * rounding.relative));
  return { ...measured, passed: inParts.relative <= tolerance };
}

/**
 * The largest element of the gradient of `whole`, and relative to it the largest difference from the weighted sum of
 * the gradients of `others`. Holds one tensor for each variable beside the gradient being computed, as training does.
 */
async function differ(
  { core, model, train }: { core: Core; model: InnerModel; train: StepFunction },
  whole: Weighted,
  others: () => readonly Weighted[],
): Promise<{ relative: number; largest: number }> {
  const figures = core.tidy(() => {
    const sums = new Map<string, Tensor>();
    addGradients(core, model, train, sums, whole, 1);
    const largest = core.keep(largestOf(core, sums));
    for (const other of others()) addGradients(core, model, train, sums, other, -1);
    const difference = largestOf(core, sums);
    core.dispose([...sums.values()]);
    const both = core.stack([difference, largest]);
    largest.dispose();
    return both;
  });
  const [difference = Number.NaN, largest = Number.NaN] = await figures.data();
  figures.dispose();
  return {
    // All gradients zero: equal where the parts agree, infinitely different where they do not.
    relative: difference === 0 ? 0 : difference / largest,
    largest: Number.isFinite(difference) ? largest : Number.NaN,
  };
}

function largestOf(core: Core, tensors: ReadonlyMap<string, Tensor>): Tensor {
  return core.tidy(() => core.max(core.stack([...tensors.values()].map((one) => core.max(core.abs(one))))));
}

/** Adds sign·weight·gradient to `sums`, by variable name; the sums are kept. Leaves no other trace. */
function addGradients(
  core: Core,
  model: InnerModel,
  train: StepFunction,
  sums: Map<string, Tensor>,
  { data, weight }: Weighted,
  sign: 1 | -1,
): void {
  const { optimizer } = model;
  const minimize: Parameters<typeof withMinimize>[1] = (loss, _returnCost, variables) => {
    const { value, grads } = optimizer.computeGradients(loss, variables);
    for (const [name, gradient] of Object.entries(grads)) {
      const before = sums.get(name);
      const part = core.tidy(() => {
        const scaled = core.mul(gradient, sign * weight);
        return before === undefined ? scaled : core.add(before, scaled);
      });
      sums.set(name, core.keep(part));
      before?.dispose();
    }
    return value;
  };
  core.tidy(() => {
    // Metrics are kept by the step itself; the loss belongs to this tidy.
    core.dispose(withoutTrace(core, model, () => withMinimize(model, minimize, () => train(data))));
  });
}
