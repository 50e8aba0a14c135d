// The equality matrix of one backend: each optimizer with each way of training, hooked and unhooked in one process.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Optimizer } from '../../src/engine/fitHook/innerModel';
import { installSwitch, type HookSwitch } from '../support/hookSwitch';
import { withSeededRandom } from '../support/seededRandom';
import { missingBackend, openBackend, type TestBackend, type TestBackendName } from '../support/testBackends';
import {
  GradientRecorder,
  largestDifference,
  recordTraining,
  relativeDifference,
  type TrainingRecord,
} from '../support/trainingRecord';
import { optimizers, scenarios, type Scenario } from './scenarios';

/** Largest difference of an update's gradient, relative to its largest element. */
export const gradientTolerance = 1e-6;
/** Largest difference of a weight after 20 updates, and of a figure of the History. */
export const weightTolerance = 1e-5;

type OptimizerOf = (tf: TestBackend['tf']) => Optimizer;

/** Declares the matrix for a backend; skipped by name where the backend's lane is missing. */
export function equalityMatrix(name: TestBackendName): void {
  describe(`accumulated training on ${name}`, () => {
    const { missing, both } = comparisonOn(name);

    for (const [optimizerName, optimizer] of Object.entries(optimizers)) {
      for (const scenario of scenarios) {
        test(`equals the full batch: ${optimizerName}, ${scenario.name}`, async (context) => {
          if (missing !== null) context.skip(missing);
          expectEqualTraining(await both(scenario, optimizer));
        }, 120_000);
      }
    }
  });
}

/** What a suite needs to compare trainings on one backend. */
export interface Comparison {
  /** Why the backend is not there; null where it is. */
  readonly missing: string | null;
  /** See trainBoth. */
  both(scenario: Scenario, optimizer: OptimizerOf): ReturnType<typeof trainBoth>;
}

/** Opens a backend before the tests of the suite that asks for it. */
export function comparisonOn(name: TestBackendName): Comparison {
  const missing = missingBackend(name);
  let opened: [TestBackend, HookSwitch, GradientRecorder] | null = null;
  beforeAll(async () => {
    if (missing !== null) return;
    const backend = await openBackend(name);
    const recorder = new GradientRecorder(backend);
    opened = [backend, installSwitch(backend), recorder];
  });
  return {
    missing,
    both: (scenario, optimizer) => {
      if (opened === null) throw new Error(missing ?? 'the backend is opened before the tests');
      return trainBoth(...opened, scenario, optimizer);
    },
  };
}

/** Everything that a script could tell of two trainings is the same. */
export function expectEqualTraining({
  expected,
  actual,
}: {
  expected: TrainingRecord;
  actual: TrainingRecord;
}): void {
  expect(expected.updates).toBeGreaterThanOrEqual(20);
  expect(actual.updates).toBe(expected.updates);
  expect(relativeDifference(actual.firstGradients, expected.firstGradients)).toBeLessThan(gradientTolerance);
  expect(largestDifference(actual.weights, expected.weights)).toBeLessThan(weightTolerance);
  expectSameFigures(actual.returned, expected.returned);
  expect(actual.events).toEqual(expected.events);
  expect(actual.tensorsLeft).toBe(expected.tensorsLeft);
}

/** The same training of two equal models, by the unhooked fit and with the hook. */
export async function trainBoth(
  backend: TestBackend,
  hook: HookSwitch,
  recorder: GradientRecorder,
  scenario: Scenario,
  optimizer: OptimizerOf,
): Promise<{ expected: TrainingRecord; actual: TrainingRecord }> {
  const { tf } = backend;
  const hidden = backend.name !== 'webgpu';
  // The same weights in every run: a failure can be repeated.
  const [plain, accumulated] = await withSeededRandom(async () => {
    await Promise.resolve();
    return [scenario.model(tf, hidden), scenario.model(tf, hidden)] as const;
  });
  accumulated.setWeights(plain.getWeights());
  const compileArgs = { loss: scenario.loss, ...(scenario.metrics ? { metrics: scenario.metrics } : {}) };
  plain.compile({ optimizer: optimizer(tf), ...compileArgs });
  accumulated.compile({ optimizer: optimizer(tf), ...compileArgs });
  hook.settings = { microbatchSize: () => scenario.microbatch, targetBatchSize: null, selfCheck: true };
  let microbatches = 0;
  hook.observer = { microbatchEnded: () => (microbatches += 1) };
  try {
    const expected = await hook.unhooked(() =>
      recordTraining(backend, recorder, plain, (callbacks) => scenario.train(tf, plain, callbacks)),
    );
    const actual = await hook.hooked(() =>
      recordTraining(backend, recorder, accumulated, (callbacks) =>
        scenario.train(tf, accumulated, callbacks),
      ),
    );
    // A hook that does nothing would be equal too.
    expect(microbatches).toBeGreaterThan(actual.updates);
    return { expected, actual };
  } finally {
    for (const model of [plain, accumulated]) {
      model.dispose();
      model.optimizer.dispose();
    }
  }
}

/** Same keys, same lengths, and numbers that differ by no more than weights may. */
export function expectSameFigures(actual: unknown, expected: unknown, at = ''): void {
  if (typeof expected === 'number') {
    expect(typeof actual, at).toBe('number');
    expect(Math.abs((actual as number) - expected), at).toBeLessThanOrEqual(
      weightTolerance * Math.max(1, Math.abs(expected)),
    );
    return;
  }
  if (typeof expected !== 'object' || expected === null) {
    expect(actual, at).toBe(expected);
    return;
  }
  expect(Object.keys(actual as object), at).toEqual(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) {
    expectSameFigures(Reflect.get(actual as object, key), value, `${at}.${key}`);
  }
}
