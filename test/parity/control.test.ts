// A check that cannot fail is a defect: wrong ways of accumulating must be seen by the comparison of the matrix.
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { GradientAccumulator } from '../../src/engine/fitHook/accumulator';
import { installSwitch, type HookSwitch } from '../support/hookSwitch';
import { openBackend, type TestBackend } from '../support/testBackends';
import { GradientRecorder, largestDifference, relativeDifference } from '../support/trainingRecord';
import { gradientTolerance, trainBoth, weightTolerance } from './equalityMatrix';
import { optimizers, scenarios } from './scenarios';

let backend: TestBackend;
let hook: HookSwitch;
let recorder: GradientRecorder;

beforeAll(async () => {
  backend = await openBackend('cpu');
  recorder = new GradientRecorder(backend);
  hook = installSwitch(backend);
});
afterEach(() => vi.restoreAllMocks());

async function differences(
  weightOf: (weight: number) => number,
): Promise<{ gradient: number; weights: number }> {
  const own = GradientAccumulator.prototype.addGradientsOf;
  vi.spyOn(GradientAccumulator.prototype, 'addGradientsOf').mockImplementation(function (
    this: GradientAccumulator,
    optimizer,
    loss,
    variables,
    weight,
  ) {
    return own.call(this, optimizer, loss, variables, weightOf(weight));
  });
  const scenario = scenarios.find(({ name }) => name === 'unequal microbatches');
  const sgd = optimizers['sgd'];
  if (scenario === undefined || sgd === undefined) throw new Error('the scenario is gone');
  const { expected, actual } = await trainBoth(backend, hook, recorder, scenario, sgd);
  return {
    gradient: relativeDifference(actual.firstGradients, expected.firstGradients),
    weights: largestDifference(actual.weights, expected.weights),
  };
}

describe('the comparison of the equality matrix', () => {
  test('accepts weights of size / rows', async () => {
    const { gradient, weights } = await differences((weight) => weight);
    expect(gradient).toBeLessThan(gradientTolerance);
    expect(weights).toBeLessThan(weightTolerance);
  });

  test('sees an average of averages', async () => {
    const { gradient, weights } = await differences(() => 1 / 2);
    expect(gradient).toBeGreaterThan(100 * gradientTolerance);
    expect(weights).toBeGreaterThan(100 * weightTolerance);
  });

  test('sees a sum without weights', async () => {
    const { gradient } = await differences(() => 1);
    expect(gradient).toBeGreaterThan(100 * gradientTolerance);
  });
});
