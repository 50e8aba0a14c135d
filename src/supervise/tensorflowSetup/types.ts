// The words of `setup tensorflow`: what is asked for, what the machine is like, what will be done.
import type { TensorflowState } from './state';

/** Where the native part comes from: the package's own download, or a TensorFlow that pip gets. */
export type TensorflowSource = 'stock' | 'pip';
/** The Python package whose TensorFlow is built against; `tensorflow` brings CUDA on Linux x64. */
export type PipPackage = 'tensorflow' | 'tensorflow-cpu';

/** What the user asked for; null leaves the choice to the plan. */
export interface SetupRequest {
  readonly from: TensorflowSource | null;
  readonly pipPackage: PipPackage | null;
}

/** An NVIDIA GPU; `computeCapability` such as 8.6, null where the driver does not tell. */
export interface SetupGpu {
  readonly name: string;
  readonly computeCapability: number | null;
}

/** The folder that gets the package. */
export interface FolderFacts {
  readonly path: string;
  readonly writable: boolean;
  readonly hasPackageJson: boolean;
  /** package.json names packages that are needed. */
  readonly needsPackages: boolean;
  readonly hasNodeModules: boolean;
  /** Yarn Plug'n'Play: there is no node_modules that packages could be put into. */
  readonly plugAndPlay: boolean;
  /** Bytes free on its disk. */
  readonly freeBytes: number;
}

/** All that the plan depends on. */
export interface SetupFacts {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Version of the C library, such as "2.36"; null on musl and outside Linux. */
  readonly glibc: string | null;
  readonly gpus: readonly SetupGpu[];
  /** CUDA 11's and cuDNN 8's libraries, which the stock binary needs for a GPU, can be loaded. */
  readonly cuda11: boolean;
  readonly npm: boolean;
  /** A Python 3 and whether its pip answers. */
  readonly python: { readonly command: string; readonly pip: boolean } | null;
  /** A C++ compiler; `problem` is what it said where it cannot compile C++17. */
  readonly compiler: { readonly command: string; readonly problem: string | null } | null;
  readonly folder: FolderFacts;
  /** What is there now; a native part that is there has been tried. */
  readonly present: TensorflowState;
}

/** One way to make the native part. */
export interface SetupAttempt {
  readonly source: TensorflowSource;
  /** Set with source `pip`. */
  readonly pipPackage: PipPackage | null;
  /** The CUDA libraries that TensorFlow names are fetched too. */
  readonly withCuda: boolean;
  /** It should run on the GPU; where it does not, the next attempt is made. */
  readonly expectsGpu: boolean;
  /** One sentence: why this way. */
  readonly reason: string;
}

/**
 * Where the package goes: `whole`: the folder is empty of packages and gets them all as npm lays them out; `inside`: one folder
 * under the node_modules that is there, with its own dependencies in it; `nativePart`: only the native part, in the package that is there.
 */
export type SetupLayout = 'whole' | 'inside' | 'nativePart';

/** What will be done: attempts in order, the first that works is kept. */
export interface SetupPlan {
  readonly kind: 'plan';
  readonly packageName: TensorflowPackageName;
  readonly version: string;
  readonly layout: SetupLayout;
  readonly attempts: readonly [SetupAttempt, ...SetupAttempt[]];
  /** Sentences for the user: what was passed over, what to expect. */
  readonly notes: readonly string[];
}

/** Why nothing will be done. `unavailable`: it cannot be had here; `usage`: something must be changed or asked for differently. */
export interface SetupRefusal {
  readonly kind: 'unavailable' | 'usage';
  readonly message: string;
}

/** The two packages that bring TensorFlow to Node.js, the one for GPUs first. */
export const tensorflowPackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;
export type TensorflowPackageName = (typeof tensorflowPackages)[number];

/**
 * A setup that could not be done; the message is one sentence for the user.
 * `unavailable`: a part could not be had; `broken`: it was made and does not work; `usage`: the folder stands in the way.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
  constructor(
    readonly kind: 'unavailable' | 'broken' | 'usage',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
