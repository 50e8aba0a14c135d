// One training by the unhooked fit and one with the hook, on models with the same weights: what the unit tests compare.
import type * as tfTypes from '@tensorflow/tfjs';
import type { FitObserver, HookSettings, Tf } from '../../../src/engine/contracts';
import { installSwitch, type HookSwitch } from '../../support/hookSwitch';
import { withSeededRandom } from '../../support/seededRandom';
import { openBackend, type TestBackend } from '../../support/testBackends';

/** What one training returned, left in the weights, and left behind. */
export interface Outcome {
  readonly model: tfTypes.LayersModel;
  readonly returned: unknown;
  readonly error: unknown;
  readonly weights: readonly Float32Array[];
  readonly tensorsLeft: number;
}

export interface Twice {
  readonly backend: TestBackend;
  readonly tf: Tf;
  readonly hook: HookSwitch;
  /** Trains two models made by `model`; the second with the hook. Errors are recorded, not thrown. */
  train(
    model: (tf: Tf) => tfTypes.LayersModel,
    train: (model: tfTypes.LayersModel) => Promise<unknown>,
    settings?: Partial<HookSettings>,
    observer?: FitObserver,
    reference?: (model: tfTypes.LayersModel) => Promise<unknown>,
  ): Promise<{ expected: Outcome; actual: Outcome }>;
}

/** Opens the plain cpu backend with the hook on a switch. */
export async function openTwice(): Promise<Twice> {
  const backend = await openBackend('cpu');
  const { tf, core } = backend;
  const hook = installSwitch(backend);
  const outcome = async (model: tfTypes.LayersModel, work: () => Promise<unknown>): Promise<Outcome> => {
    const before = core.memory().numTensors;
    let returned: unknown;
    let error: unknown;
    try {
      returned = await withSeededRandom(work);
    } catch (thrown) {
      error = thrown;
    }
    const tensorsLeft = core.memory().numTensors - before;
    const weights = model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
    return { model, returned, error, weights, tensorsLeft };
  };
  return {
    backend,
    tf,
    hook,
    train: async (make, train, settings = {}, observer = {}, reference = train) => {
      const [plain, accumulated] = [make(tf), make(tf)];
      accumulated.setWeights(plain.getWeights());
      hook.settings = { microbatchSize: () => 3, targetBatchSize: null, selfCheck: false, ...settings };
      hook.observer = observer;
      const expected = await hook.unhooked(() => outcome(plain, () => reference(plain)));
      const actual = await hook.hooked(() => outcome(accumulated, () => train(accumulated)));
      return { expected, actual };
    },
  };
}

/** Rows of numbers that are the same in every run. */
export function rowsOf(tf: Tf, rows: number, columns: number, pace = 1.3): tfTypes.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(pace * (index + 1))),
    [rows, columns],
  );
}

/** A dense network of `units` outputs with 4 inputs, compiled. */
export function dense(
  tf: Tf,
  compile: Partial<tfTypes.ModelCompileArgs> = {},
  units = 2,
): tfTypes.LayersModel {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 5, inputShape: [4], activation: 'tanh' }), tf.layers.dense({ units })],
  });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError', ...compile });
  return model;
}

/** The values of a History, or what else a call returned. */
export function figures(returned: unknown): unknown {
  return typeof returned === 'object' && returned !== null && 'history' in returned
    ? returned.history
    : returned;
}
