// Stands in for packages that the script loads and that are not there, or not whole: the script runs as it is, and is told.
import { fileSystemHandler, registerFileSystemIo } from '../model/fileSystemIo';
import type { PlanWarning } from '../../protocol/warning';
import type { BackendReport } from '../../protocol/backend';
import type { Tf } from '../contracts';
import { setupRemedy } from './native';
import type { Core } from './tensorflow';

/** What is used of the chosen backend (see chooseBackend). */
export interface RunningBackend {
  readonly report: BackendReport;
  readonly core: Core;
  readonly tf: Tf;
  readonly tfjsVersion: string;
}

/** What the script gets in place of a package, and what the user is told. */
export interface Substitute {
  readonly module: object;
  readonly warning: PlanWarning;
}

/** What tfjs-node offers as `tf.node` (tfjs-node/src/node.ts). */
const nodeFunctions = [
  'decodeImage',
  'decodeBmp',
  'decodeGif',
  'decodePng',
  'decodeJpeg',
  'encodeJpeg',
  'encodePng',
  'summaryFileWriter',
  'tensorBoard',
  'getMetaGraphsFromSavedModel',
  'getNumOfSavedModels',
  'loadSavedModel',
] as const;

/** `tf.node.x(…)` needs native TensorFlow, which is not there. */
export class NativeTensorflowNeededError extends Error {
  override readonly name = 'NativeTensorflowNeededError';
  constructor(readonly functionName: string) {
    super(`tf.node.${functionName} needs native TensorFlow, which is not installed here; ${setupRemedy}.`);
  }
}

function nodeNamespace(): Record<string, () => never> {
  const entries = nodeFunctions.map((name) => {
    const refuse = (): never => {
      throw new NativeTensorflowNeededError(name);
    };
    return [name, refuse] as const;
  });
  return Object.fromEntries(entries);
}

/** tfjs-node's namespace without its native part: TensorFlow.js as it is, `file://`, and a `tf.node` that says what it needs. */
function plainNamespace({ tf, core }: RunningBackend): object {
  registerFileSystemIo(core);
  const fileSystem = (file: string | string[]) =>
    fileSystemHandler(core, Array.isArray(file) ? (file[0] ?? '') : file);
  return {
    ...tf,
    __esModule: true,
    io: { ...tf.io, fileSystem },
    node: nodeNamespace(),
    version: { ...tf.version, 'tfjs-node': tf.version_core },
  };
}

/** Names of the chosen backend for a sentence. */
const spoken: Readonly<Record<string, string>> = { webgpu: 'WebGPU', wasm: 'WASM', cpu: 'plain JavaScript' };

const made = new WeakMap<RunningBackend, object>();

/**
 * A working module in place of `request`, where there is one:
 * - for @tensorflow/tfjs-node(-gpu) whose native part is missing or broken: the chosen TensorFlow, or TensorFlow.js on
 *   the chosen backend with `file://` and a `tf.node` whose functions say what they need;
 * - for @tensorflow/tfjs, -core or -layers that are not installed: ours, or the user's that the backend runs in.
 * Undefined for every other request: the script then gets its own error.
 */
export function substituteModule(request: string, chosen: RunningBackend): Substitute | undefined {
  if (request === '@tensorflow/tfjs-node' || request === '@tensorflow/tfjs-node-gpu') {
    const native = chosen.report.name === 'tfjs-node' || chosen.report.name === 'tfjs-node-gpu';
    let module: object = chosen.tf;
    if (!native) {
      module = made.get(chosen) ?? plainNamespace(chosen);
      made.set(chosen, module);
    }
    const instead = native
      ? `@tensorflow/${chosen.report.name}`
      : `TensorFlow.js on ${spoken[chosen.report.name] ?? chosen.report.name}`;
    return {
      module,
      warning: {
        code: 'backendFellBack',
        message: `The script loads ${request}, which does not work here; it was given ${instead} instead. To get native TensorFlow, ${setupRemedy}.`,
        layers: [],
      },
    };
  }
  if (['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'].includes(request)) {
    const module = request === '@tensorflow/tfjs-core' ? chosen.core : chosen.tf;
    return {
      module,
      warning: {
        code: 'note',
        message: `The script loads ${request}, which is not installed beside it; it was given version ${chosen.tfjsVersion} that comes with Batch Planner.`,
        layers: [],
      },
    };
  }
  return undefined;
}
