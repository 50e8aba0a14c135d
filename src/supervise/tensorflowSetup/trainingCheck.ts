// Tries what is installed by one real training step in a child process, and tells which device did it.
import * as z from 'zod';
import { lastWords, type RunCommand } from './command';
import { SetupError, type TensorflowPackageName } from './types';

const answer = z.object({
  packageVersion: z.string(),
  tensorflowVersion: z.string(),
  usesGpu: z.boolean(),
  lossBefore: z.number(),
  lossAfter: z.number(),
});

/** What the training step told. */
export type TrainingCheck = z.infer<typeof answer> & {
  /** The GPU's or the processor's own name. */
  readonly deviceName: string;
  /** Libraries that TensorFlow looked for and did not find. */
  readonly missingLibraries: readonly string[];
};

const marker = 'BATCH_PLANNER_CHECK ';

/** Runs in a Node of its own, in the user's folder. Node 23 dropped functions of util that the package calls (tfjs issue 8609). */
const script = `
const util = require('util');
const missing = { isArray: Array.isArray, isNullOrUndefined: (v) => v === null || v === undefined, isString: (v) => typeof v === 'string',
  isNumber: (v) => typeof v === 'number', isBoolean: (v) => typeof v === 'boolean', isFunction: (v) => typeof v === 'function',
  isObject: (v) => v !== null && typeof v === 'object', isUndefined: (v) => v === undefined, isNull: (v) => v === null };
for (const [name, does] of Object.entries(missing)) if (util[name] === undefined) util[name] = does;
const tf = require(process.env.BATCH_PLANNER_CHECK_PACKAGE);
(async () => {
  const model = tf.sequential({ layers: [
    tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: 'relu' }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 2, activation: 'softmax' }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  const x = tf.randomNormal([8, 8, 8, 1], 0, 1, 'float32', 7);
  const y = tf.oneHot(tf.tensor1d([0, 1, 0, 1, 0, 1, 0, 1], 'int32'), 2).toFloat();
  const loss = () => model.evaluate(x, y, { batchSize: 8, verbose: 0 }).dataSync()[0];
  const lossBefore = loss();
  await model.fit(x, y, { epochs: 1, batchSize: 8, verbose: 0 });
  const backend = tf.backend();
  console.log('${marker}' + JSON.stringify({
    packageVersion: tf.version['tfjs-node'] ?? tf.version.tfjs,
    tensorflowVersion: backend.binding.TF_Version,
    usesGpu: backend.isUsingGpuDevice === true,
    lossBefore, lossAfter: loss(),
  }));
})().catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** A GPU newer than its TensorFlow compiles every kernel at first use, which takes many minutes. */
const limitMs = 30 * 60_000;

/**
 * Trains one step with the package as `folder` resolves it.
 * @throws SetupError (broken) where it cannot be loaded, crashes, or did not learn anything
 */
export async function checkByTraining(
  packageName: TensorflowPackageName,
  folder: string,
  tools: {
    readonly run: RunCommand;
    readonly signal: AbortSignal;
    readonly nodePath: string;
    readonly processorName: string;
  },
): Promise<TrainingCheck> {
  const env = {
    ...process.env,
    BATCH_PLANNER_CHECK_PACKAGE: packageName,
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    // The names of devices and of missing libraries are told at this level.
    TF_CPP_MIN_LOG_LEVEL: '0',
  };
  const result = await tools.run(tools.nodePath, ['-e', script], {
    cwd: folder,
    env,
    signal: tools.signal,
    limitMs,
  });
  const line = result.stdout.split('\n').find((candidate) => candidate.startsWith(marker));
  if (line === undefined)
    throw new SetupError('broken', `A training step with ${packageName} failed: ${failureOf(result)}`);
  const check = answer.parse(JSON.parse(line.slice(marker.length)));
  if (check.lossBefore === check.lossAfter) {
    throw new SetupError(
      'broken',
      `A training step with ${packageName} changed nothing: the loss stayed ${check.lossAfter}.`,
    );
  }
  return {
    ...check,
    deviceName: (check.usesGpu ? gpuName(result.stderr) : null) ?? tools.processorName,
    missingLibraries: missingLibraries(result.stderr),
  };
}

/** TensorFlow's log names the GPU it made a device of: `... -> device: 0, name: NVIDIA A10G, pci bus id: ...`. */
export function gpuName(log: string): string | null {
  return /-> device: \d+, name: (.+?), pci bus id/.exec(log)?.[1] ?? null;
}

/** `Could not load dynamic library 'libcudnn.so.8'` (TensorFlow 2.9), `Could not find cuda drivers` and the like. */
export function missingLibraries(log: string): string[] {
  const named = [...log.matchAll(/Could not load dynamic library '([^']+)'/g)].map(([, name]) => name ?? '');
  if (/Could not find cuda drivers/i.test(log)) named.push('the CUDA driver (libcuda.so.1)');
  if (/Cannot dlopen some GPU libraries/.test(log)) named.push('some CUDA libraries');
  return [...new Set(named)];
}

function failureOf(
  result: Parameters<typeof lastWords>[0] & { timedOut: boolean; code: number | null },
): string {
  if (result.timedOut) return 'it did not end within 30 minutes';
  const error = result.stderr
    .split('\n')
    .find((line) => /^(\w*Error|Error): |^\S+: cannot open shared object/.test(line));
  return error ?? `exit code ${result.code ?? 'by a signal'}: ${lastWords(result, 2)}`;
}
