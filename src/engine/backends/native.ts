// Starts TensorFlow itself through @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { PlanWarning } from '../../protocol/warning';
import { activate, firstLine } from './activate';
import { restoreRemovedUtil } from './nodeShim';
import { canMix, findFirst, findPackage, loadPackage, type FoundPackage } from './packages';
import { coreVersion, isTensorflow, sharedModules, type Core } from './tensorflow';
import { PassedOver, synchronousDevice, type StartContext, type StartedBackend } from './types';

/** The command that makes a working package, named in each reason that it would cure. */
export const setupRemedy = 'run "batch-planner setup tensorflow"';

/** What is read of tfjs-node's backend object (nodejs_kernel_backend.ts); untyped outside that package. */
interface NodeBackend {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
}

const withoutNativePart = `it is installed without its native part (npm did not run its install script); ${setupRemedy}.`;

/** Why a native package that is installed does not load, as a sentence with its remedy. */
export function loadFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (/native addon module/i.test(message)) return withoutNativePart;
  if (
    code === 'ERR_DLOPEN_FAILED' ||
    /cannot open shared object|specified module could not be found|dlopen/i.test(message)
  ) {
    return `its native part does not load (${firstLine(error)}); ${setupRemedy}.`;
  }
  if (code === 'MODULE_NOT_FOUND')
    return `it is not completely installed (${firstLine(error)}); install it again.`;
  return `it does not load (${firstLine(error)}); ${setupRemedy}.`;
}

/** Our own copy goes with the script's TensorFlow.js only where their versions work together. */
function sharedWith(found: FoundPackage, context: StartContext): ReadonlyMap<string, unknown> | undefined {
  const users = context.sources.find(({ origin }) => origin === 'user');
  const plain = users === undefined ? null : findPackage('@tensorflow/tfjs', users);
  if (found.origin === 'user' || plain?.origin !== 'user') return undefined;
  const script = context.tensorflow();
  if (!canMix(script.version, found.version)) {
    throw new PassedOver(
      `the one that comes with Batch Planner (${found.version}) does not work with the script's TensorFlow.js ${script.version}; install it beside the script.`,
    );
  }
  return sharedModules(script, found.version);
}

/** Of our own copy the user knows nothing: to them the package is not there. */
function asFound(found: FoundPackage, failure: string): string {
  if (found.origin === 'user') return failure;
  return `it is not installed beside the script, and of Batch Planner's own copy: ${failure}`;
}

/** Whether the addon is there at all: looked for beforehand, because a failed load leaves half of a TensorFlow.js. */
function hasNativePart(found: FoundPackage): boolean {
  const library = path.join(found.place, 'lib');
  if (!existsSync(library)) return false;
  return readdirSync(library).some((folder) => existsSync(path.join(library, folder, 'tfjs_binding.node')));
}

function loadNative(found: FoundPackage, context: StartContext) {
  if (!hasNativePart(found)) throw new PassedOver(asFound(found, withoutNativePart));
  const shared = sharedWith(found, context);
  let loaded: unknown;
  try {
    loaded = loadPackage(found, shared);
  } catch (error) {
    throw new PassedOver(asFound(found, loadFailure(error)), { cause: error });
  }
  if (!isTensorflow(loaded)) throw new PassedOver(`${found.place} is not TensorFlow.js.`);
  return loaded;
}

function noGpuWarning(found: FoundPackage, tensorflow: string): PlanWarning {
  return {
    code: 'backendFellBack',
    message: `${found.name} ${found.version} found no GPU that it can drive, so TensorFlow${tensorflow} runs on the CPU. Its stock build needs CUDA 11.2 and cuDNN 8.1; for other versions ${setupRemedy}.`,
    layers: [],
  };
}

/**
 * Loads the package and makes TensorFlow the active backend.
 * @throws PassedOver with the reason and the remedy
 */
export async function startNative(
  name: 'tfjs-node-gpu' | 'tfjs-node',
  context: StartContext,
): Promise<StartedBackend> {
  const found = findFirst(`@tensorflow/${name}`, context.sources);
  if (found === null) {
    throw new PassedOver(
      name === 'tfjs-node-gpu' ? `it is not installed; to get it, ${setupRemedy}.` : 'it is not installed.',
    );
  }
  restoreRemovedUtil();
  const tf = loadNative(found, context);
  await activate(tf, 'tensorflow');
  const backend = tf.backend() as NodeBackend;
  const tensorflow = backend.binding?.TF_Version === undefined ? '' : ` ${backend.binding.TF_Version}`;
  const usesGpu = backend.isUsingGpuDevice === true;
  const where = usesGpu ? 'on the GPU' : 'on the CPU';
  return {
    ...synchronousDevice,
    tf,
    core: tf as Core,
    tfjsName: 'tensorflow',
    version: found.version,
    description: `${origin(found)} ${found.name} ${found.version} with TensorFlow${tensorflow} ${where} (tfjs ${coreVersion(tf)})`,
    usesGpu,
    // The binding keeps no name; the GPU reader knows it.
    deviceName: null,
    warnings: name === 'tfjs-node-gpu' && !usesGpu ? [noGpuWarning(found, tensorflow)] : [],
  };
}

/** Whose copy it is, to begin a description with. */
export function origin(found: FoundPackage): string {
  return found.origin === 'user' ? "the project's own" : "Batch Planner's";
}
