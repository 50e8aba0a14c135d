// Loads a backend package (WebGPU, WASM) into the script's TensorFlow.js: the user's own package, or ours where versions allow.
import { firstLine } from './activate';
import { canMix, findPackage, loadPackage, type FoundPackage } from './packages';
import { sharedModules, type LoadedTensorflow } from './tensorflow';
import { PassedOver, type StartContext } from './types';

/**
 * @throws PassedOver where it is not installed, is for another TensorFlow.js, or does not load
 */
export function loadBackendPackage(
  name: '@tensorflow/tfjs-backend-webgpu' | '@tensorflow/tfjs-backend-wasm',
  context: StartContext,
): { found: FoundPackage; loaded: unknown; script: LoadedTensorflow } {
  const script = context.tensorflow();
  let mismatch: FoundPackage | null = null;
  for (const source of context.sources) {
    const found = findPackage(name, source);
    if (found === null) continue;
    if (!canMix(script.version, found.version)) {
      mismatch ??= found;
      continue;
    }
    try {
      return { found, loaded: loadPackage(found, sharedModules(script, found.version)), script };
    } catch (error) {
      throw new PassedOver(`${found.name} ${found.version} does not load (${firstLine(error)}).`, {
        cause: error,
      });
    }
  }
  if (mismatch === null) throw new PassedOver(`${name} is not installed.`);
  throw new PassedOver(
    `${name} ${mismatch.version} does not work with the script's TensorFlow.js ${script.version}; install ${name}@${script.version} beside the script.`,
  );
}
