// Chooses the TensorFlow.js backend before the user's script runs: the first that works, in order, or the one asked for.
import path from 'node:path';
import type { BackendName, BackendReport } from '../../protocol/backend';
import { backendNames } from '../../protocol/backend';
import type { PlanWarning } from '../../protocol/warning';
import type { Tf } from '../contracts';
import { firstLine } from './activate';
import { startCpu } from './cpu';
import { startNative } from './native';
import type { PackageSource } from './packages';
import { coreVersion, loadTensorflow, type Core, type LoadedTensorflow } from './tensorflow';
import {
  NoBackendError,
  PassedOver,
  type DeviceErrorListener,
  type StartContext,
  type StartedBackend,
} from './types';
import { startWasm } from './wasm';
import { startWebgpu } from './startWebgpu';

export { NoBackendError, type DeviceError, type DeviceErrorListener } from './types';
export { substituteModule, type Substitute } from './substitute';

export interface ChooseOptions {
  /** Folder of the entry: where the user's own packages are looked for. */
  readonly entryFolder: string;
  /** Folder from which this product's own packages are found; default: that of this bundle. */
  readonly ownFolder?: string;
  /** A backend asked for by name; null: the first that works. */
  readonly requested: BackendName | null;
  /** Backends not to be tried, with the reason to report. */
  readonly passOver: readonly { readonly name: BackendName; readonly reason: string }[];
  readonly platform?: NodeJS.Platform;
  /** How each backend is started; replaced in tests. */
  readonly starters?: Starters;
}

export type Starters = Readonly<Record<BackendName, (context: StartContext) => Promise<StartedBackend>>>;

/** The backend that runs in this process. */
export interface ChosenBackend {
  readonly report: BackendReport;
  readonly core: Core;
  /** The script's TensorFlow.js, with this backend active. */
  readonly tf: Tf;
  /** Version of its tfjs-core. */
  readonly tfjsVersion: string;
  /** What the user has to be told of it. */
  readonly warnings: readonly PlanWarning[];
  /** Largest size of one tensor in bytes; null where only memory limits it. */
  readonly maxTensorBytes: number | null;
  /** Errors that the device does not throw (WebGPU): each means that what was computed cannot be trusted. */
  onDeviceError(listener: DeviceErrorListener): () => void;
  /** Waits until the device has done its work and has told its errors; at once on backends that throw. */
  settle(): Promise<void>;
  /** A sentence where the script itself has made another backend active since; null while this one is. */
  replaced(): string | null;
  /** Gives the device back, so that the process can end by itself. */
  dispose(): void;
}

const starters: Starters = {
  'tfjs-node-gpu': (context) => startNative('tfjs-node-gpu', context),
  'tfjs-node': (context) => startNative('tfjs-node', context),
  webgpu: (context) => startWebgpu(context),
  wasm: startWasm,
  cpu: startCpu,
};

/**
 * Starts the first backend that works and leaves it active. TensorFlow.js keeps its engine and its kernels on
 * globalThis, so every copy that the script loads afterwards uses this backend.
 * @throws NoBackendError with each backend's reason
 */
export async function chooseBackend(options: ChooseOptions): Promise<ChosenBackend> {
  const { requested } = options;
  const context = startContext(options);
  const passedOver: { name: BackendName; reason: string }[] = [];
  for (const name of requested === null ? backendNames : [requested]) {
    const known = options.passOver.find((entry) => entry.name === name);
    if (known !== undefined) {
      passedOver.push({ name, reason: known.reason });
      continue;
    }
    try {
      const started = await (options.starters ?? starters)[name](context);
      return chosen(name, started, passedOver, requested);
    } catch (error) {
      const reason = error instanceof PassedOver ? error.message : `it does not start (${firstLine(error)}).`;
      passedOver.push({ name, reason });
    }
  }
  throw new NoBackendError(passedOver);
}

function startContext(options: ChooseOptions): StartContext {
  const sources: PackageSource[] = [
    { origin: 'user', folder: path.resolve(options.entryFolder) },
    { origin: 'own', folder: options.ownFolder ?? __dirname },
  ];
  let loaded: LoadedTensorflow | undefined;
  return {
    sources,
    byName: options.requested !== null,
    platform: options.platform ?? process.platform,
    tensorflow: () => (loaded ??= loadTensorflow(sources)),
  };
}

function chosen(
  name: BackendName,
  started: StartedBackend,
  passedOver: { name: BackendName; reason: string }[],
  requested: BackendName | null,
): ChosenBackend {
  const why = requested === null ? 'the first that works' : 'asked for by name';
  return {
    ...started,
    report: {
      name,
      version: started.version,
      reason: `${why}: ${started.description}`,
      usesGpu: started.usesGpu,
      deviceName: started.deviceName,
      passedOver,
    },
    tfjsVersion: coreVersion(started.tf),
    replaced: () => {
      const active = started.core.getBackend();
      if (active === started.tfjsName) return null;
      return `The script itself changed the TensorFlow.js backend from "${started.tfjsName}" to "${active}".`;
    },
  };
}
