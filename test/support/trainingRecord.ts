// What one training did, as far as a script could tell: weights, History, callbacks, first gradients, tensors left.
import type * as tfTypes from '@tensorflow/tfjs';
import { withSeededRandom } from './seededRandom';
import type { TestBackend } from './testBackends';

export interface TrainingRecord {
  /** Gradients of the first update in the order of the trainable variables, as the optimizer was given them. */
  readonly firstGradients: readonly Float32Array[];
  readonly weights: readonly Float32Array[];
  /** What the script's call returned: histories or numbers. */
  readonly returned: unknown;
  readonly events: readonly string[];
  /** Tensors after the call more than before it. */
  readonly tensorsLeft: number;
  readonly updates: number;
}

type AppliedGradients = Parameters<tfTypes.Optimizer['applyGradients']>[0];

/** Records the arguments of every stock optimizer's applyGradients. Make it before the hook is installed. */
export class GradientRecorder {
  updates = 0;
  private first: Map<number, tfTypes.Tensor> | null = null;
  private readonly optimizers = [
    'SGD',
    'Momentum',
    'Adagrad',
    'Adadelta',
    'Adam',
    'Adamax',
    'RMSProp',
  ] as const;

  constructor(private readonly backend: TestBackend) {
    const { core } = backend;
    for (const name of this.optimizers) {
      const prototype: tfTypes.Optimizer = core[`${name}Optimizer`].prototype;
      const own = prototype.applyGradients;
      // Momentum extends SGD, whose method it replaces: each class has one of its own.
      const take = (gradients: AppliedGradients): void => {
        if (Array.isArray(gradients)) this.take(gradients);
      };
      prototype.applyGradients = function (this: tfTypes.Optimizer, gradients: AppliedGradients) {
        take(gradients);
        own.call(this, gradients);
      };
    }
  }

  begin(): void {
    this.first = new Map();
    this.updates = 0;
  }

  /** The first update's gradients; an update may reach the optimizer in several parts. */
  async end(): Promise<Float32Array[]> {
    const tensors = [...(this.first ?? [])].sort(([a], [b]) => a - b).map(([, tensor]) => tensor);
    this.first = null;
    const values = await Promise.all(tensors.map((tensor) => tensor.data() as Promise<Float32Array>));
    this.backend.core.dispose(tensors);
    return values;
  }

  /** Tensors that the recorder itself holds. */
  get held(): number {
    return this.first?.size ?? 0;
  }

  private take(gradients: readonly { tensor?: tfTypes.Tensor | undefined }[]): void {
    gradients.forEach(({ tensor }, index) => {
      if (tensor === undefined || this.first === null || this.first.has(index)) return;
      this.first.set(index, this.backend.core.keep(this.backend.core.clone(tensor)));
    });
  }
}

/** Trains `model` by `train` and records it. */
export async function recordTraining(
  { core }: TestBackend,
  recorder: GradientRecorder,
  model: tfTypes.LayersModel,
  train: (callbacks: tfTypes.CustomCallbackArgs) => Promise<unknown>,
): Promise<TrainingRecord> {
  const events: string[] = [];
  const note =
    (event: string) =>
    async (index?: number, logs?: tfTypes.Logs): Promise<void> => {
      const keys = Object.keys(logs ?? {}).sort();
      events.push(`${event} ${index ?? ''} ${keys.join(',')} ${logs?.['size'] ?? ''}`);
      await Promise.resolve();
    };
  const callbacks: tfTypes.CustomCallbackArgs = {
    onTrainBegin: () => note('trainBegin')(),
    onTrainEnd: () => note('trainEnd')(),
    onEpochBegin: note('epochBegin'),
    onEpochEnd: note('epochEnd'),
    onBatchBegin: note('batchBegin'),
    onBatchEnd: note('batchEnd'),
  };
  recorder.begin();
  const before = core.memory().numTensors;
  const returned = await withSeededRandom(() => train(callbacks));
  const tensorsLeft = core.memory().numTensors - before - recorder.held;
  const firstGradients = await recorder.end();
  const weights = await Promise.all(
    model.getWeights().map((weight) => weight.data() as Promise<Float32Array>),
  );
  const updates = Reflect.get(model.optimizer, 'iterations') as number;
  return { firstGradients, weights, returned, events, tensorsLeft, updates };
}

/** Largest difference of any element, relative to the largest element of `expected`. */
export function relativeDifference(
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
): number {
  if (actual.length !== expected.length || expected.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const array of expected) for (const value of array) largest = Math.max(largest, Math.abs(value));
  return largestDifference(actual, expected) / largest;
}

/** Largest absolute difference of any element; infinite where shapes or finiteness differ. */
export function largestDifference(
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
): number {
  let difference = 0;
  expected.forEach((array, index) => {
    const other = actual[index];
    if (other?.length !== array.length) difference = Number.POSITIVE_INFINITY;
    else
      array.forEach((value, at) => {
        const apart = Math.abs(value - (other[at] ?? Number.NaN));
        difference = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(difference, apart);
      });
  });
  return difference;
}
