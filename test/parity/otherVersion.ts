// An older copy of TensorFlow.js: the hook takes over its step by the same properties, with the same equality.
import { createRequire } from 'node:module';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tf } from '../../src/engine/contracts';
import type { Core, Layers } from '../../src/engine/fitHook/innerModel';
import { installSwitch, type HookSwitch } from '../support/hookSwitch';
import { otherTfjs } from '../support/otherTfjs';
import type { TestBackend } from '../support/testBackends';
import { GradientRecorder } from '../support/trainingRecord';
import { expectEqualTraining, trainBoth } from './equalityMatrix';
import { optimizers, scenarios } from './scenarios';

/** Declares the matrix for one version on the plain cpu backend, with the two optimizers that differ most. */
export function otherVersion(version: string): void {
  describe(`accumulated training with TensorFlow.js ${version}`, () => {
    let backend: TestBackend | undefined;
    let hook: HookSwitch;
    let recorder: GradientRecorder;
    let missing: string | null = null;

    beforeAll(async () => {
      const lane = otherTfjs(version);
      if (lane.missing !== undefined) {
        missing = lane.missing;
        return;
      }
      const load = createRequire(path.join(lane.place, 'node_modules/@tensorflow/tfjs/package.json'));
      const tf = load('@tensorflow/tfjs') as Tf;
      await tf.setBackend('cpu');
      expect(tf.version['tfjs-layers']).toBe(version);
      backend = {
        name: 'cpu',
        tf,
        core: load('@tensorflow/tfjs-core') as Core,
        layers: load('@tensorflow/tfjs-layers') as Layers,
      };
      recorder = new GradientRecorder(backend);
      hook = installSwitch(backend);
    }, 150_000);

    for (const optimizerName of ['sgd', 'adam'] as const) {
      for (const scenario of scenarios) {
        test(`equals the full batch: ${optimizerName}, ${scenario.name}`, async (context) => {
          if (backend === undefined) return context.skip(missing ?? 'the lane was not opened');
          const optimizer = optimizers[optimizerName];
          if (optimizer === undefined) throw new Error(`no optimizer ${optimizerName}`);
          expectEqualTraining(await trainBoth(backend, hook, recorder, scenario, optimizer));
        });
      }
    }
  });
}
