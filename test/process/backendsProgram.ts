// A script's process as the engine prepares it: chooses the backend, then trains with the script's own copy. Tells JSON.
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as tfTypes from '@tensorflow/tfjs';
import {
  chooseBackend,
  NoBackendError,
  type ChosenBackend,
  type ChooseOptions,
} from '../../src/engine/backends/choose';

/** What a test asks for. */
export interface Request {
  readonly folder: string;
  readonly requested: ChooseOptions['requested'];
  readonly passOver?: ChooseOptions['passOver'];
  /** What the script loads; null: it loads nothing. */
  readonly loads: string | null;
  /** Ask the device for more than it can hold, in the place of training. */
  readonly overflow?: boolean;
}

/** What happened. */
export interface Outcome {
  readonly noBackend?: string;
  readonly report?: ChosenBackend['report'];
  readonly warnings?: string[];
  readonly tfjsVersion?: string;
  /** The backend and the version that the script's own copy sees. */
  readonly seen?: { backend: string; version: string; separateCopy: boolean };
  readonly losses?: number[];
  readonly replaced?: string | null;
  readonly deviceErrors?: string[];
  readonly maxTensorBytes?: number | null;
}

async function train(tf: typeof tfTypes): Promise<number[]> {
  const wave = (count: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7));
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({ inputShape: [8, 8, 2], filters: 4, kernelSize: 3, strides: 2, activation: 'tanh' }),
  );
  model.add(tf.layers.maxPooling2d({ poolSize: 2, strides: 1 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 2 }));
  model.setWeights(model.getWeights().map((weight) => tf.tensor(wave(weight.size), weight.shape).mul(0.3)));
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
  const x = tf.tensor4d(wave(16 * 128), [16, 8, 8, 2]);
  const y = tf.tensor2d(wave(32), [16, 2]);
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 });
  return (history.loss as number[]).slice();
}

async function run(request: Request): Promise<Outcome> {
  let chosen: ChosenBackend;
  try {
    chosen = await chooseBackend({
      entryFolder: request.folder,
      requested: request.requested,
      passOver: request.passOver ?? [],
    });
  } catch (error) {
    if (error instanceof NoBackendError) return { noBackend: error.message };
    throw error;
  }
  const { report, tfjsVersion, maxTensorBytes } = chosen;
  const told = {
    report,
    tfjsVersion,
    maxTensorBytes,
    warnings: chosen.warnings.map(({ message }) => message),
  };
  const deviceErrors: string[] = [];
  chosen.onDeviceError(({ kind }) => deviceErrors.push(kind));
  if (request.overflow === true) {
    const { tf } = chosen;
    const tensor = tf.zeros([(maxTensorBytes ?? 0) / 4 + 1024]).add(3);
    const value = (await tf.slice(tensor, [0], [1]).data())[0] ?? NaN;
    await chosen.settle();
    chosen.dispose();
    return { ...told, deviceErrors, losses: [value] };
  }
  if (request.loads === null) return told;
  const tf = createRequire(path.join(request.folder, 'script.js'))(request.loads) as typeof tfTypes;
  const losses = await train(tf);
  await chosen.settle();
  const seen = {
    backend: tf.getBackend(),
    version: tf.version.tfjs,
    separateCopy: tf.Tensor !== chosen.tf.Tensor,
  };
  const replaced = chosen.replaced();
  chosen.dispose();
  return { ...told, seen, losses, replaced, deviceErrors };
}

const request = JSON.parse(process.argv[2] ?? '{}') as Request;
void run(request).then((outcome) => process.stdout.write(`OUTCOME ${JSON.stringify(outcome)}\n`));
