// Decides how a working TensorFlow is made: pure, from the facts to the attempts or to a refusal with its remedy.
import {
  tensorflowPackages,
  type PipPackage,
  type SetupAttempt,
  type SetupFacts,
  type SetupGpu,
  type SetupPlan,
  type SetupRefusal,
  type SetupRequest,
  type TensorflowSource,
} from './types';

/** Version that is installed where none is there. */
export const packageVersion = '4.22.0';
/** TensorFlow's wheels are built for this C library or a newer one. */
const oldestGlibc = '2.27';
/** GPUs that the stock binary (TensorFlow 2.9.1 on CUDA 11.2) can drive: below Hopper. */
const stockCapabilities = { from: 3.5, below: 9 };
/** Disk needed, in bytes, while it is made: the wheel (0.3 GB) beside what is taken out of it (0.9 GB), packages, headers. */
const neededBytes = { cpu: 2e9, stock: 3e9, cuda: 12e9 };

/** The way not to be gone, and what would open it. */
interface Obstacle {
  readonly source: TensorflowSource;
  readonly message: string;
}

/** Plans the setup. What is there and works, and `force` was not asked for, is not this function's business. */
export function planSetup(facts: SetupFacts, request: SetupRequest): SetupPlan | SetupRefusal {
  const stop = folderObstacle(facts) ?? (facts.npm ? null : noNpm);
  if (stop !== null) return stop;

  const obstacles = [pipObstacle(facts), stockObstacle(facts)].filter((obstacle) => obstacle !== null);
  const wanted = request.from === null ? preferredSources(facts, request) : [request.from];
  const possible = wanted.filter((source) => !obstacles.some((obstacle) => obstacle.source === source));
  const passedOver = obstacles.filter(({ source }) => wanted.includes(source)).map(({ message }) => message);
  const [first, ...others] = possible.map((source) => attemptFrom(source, facts, request));
  if (first === undefined) return { kind: 'unavailable', message: passedOver.join(' ') };

  const attempts = [first, ...others] as const;
  const needed = Math.max(...attempts.map(diskNeeded));
  if (facts.folder.freeBytes < needed) {
    const free = (facts.folder.freeBytes / 1e9).toFixed(1);
    const message = `${facts.folder.path} has ${free} GB free and this needs ${needed / 1e9} GB while it is made; free some space.`;
    return { kind: 'usage', message };
  }
  const { present } = facts;
  return {
    kind: 'plan',
    packageName: present.state === 'absent' ? defaultPackage(facts) : present.packageName,
    version: present.state === 'absent' ? packageVersion : present.version,
    layout: present.state !== 'absent' ? 'nativePart' : isEmpty(facts) ? 'whole' : 'inside',
    attempts,
    notes: [...passedOver, ...gpuNotes(facts, attempts)],
  };
}

const noNpm: SetupRefusal = {
  kind: 'unavailable',
  message: 'npm was not found beside this Node.js or on PATH; install npm, which comes with Node.js.',
};

function isEmpty({ folder }: SetupFacts): boolean {
  return !folder.hasPackageJson && !folder.hasNodeModules;
}

function folderObstacle({ folder, present }: SetupFacts): SetupRefusal | null {
  const usage = (message: string): SetupRefusal => ({ kind: 'usage', message });
  if (!folder.writable)
    return usage(`${folder.path} cannot be written to; choose another folder or change its rights.`);
  if (folder.plugAndPlay) {
    return usage(
      `${folder.path} uses Yarn Plug'n'Play, under which a native part cannot be added; set "nodeLinker: node-modules" in .yarnrc.yml, run yarn, and try again.`,
    );
  }
  if (present.state === 'absent' && folder.needsPackages && !folder.hasNodeModules) {
    return usage(
      `The packages of ${folder.path} are not installed yet, and installing them later would remove TensorFlow again; install them first (npm install --ignore-scripts), then run this again.`,
    );
  }
  return null;
}

/** macOS has no build for GPUs; elsewhere the package for GPUs also runs without one, and is the one scripts name. */
function defaultPackage({ platform, gpus }: SetupFacts): SetupPlan['packageName'] {
  const [forGpu, forCpu] = tensorflowPackages;
  return platform === 'darwin' || (platform === 'win32' && gpus.length === 0) ? forCpu : forGpu;
}

function preferredSources(facts: SetupFacts, request: SetupRequest): TensorflowSource[] {
  // A Python package was named: it is to be built against.
  if (request.pipPackage !== null) return ['pip'];
  if (facts.platform !== 'linux') return ['stock'];
  return stockDrivesGpu(facts) ? ['stock', 'pip'] : ['pip', 'stock'];
}

/** Whether the stock binary can use a GPU of this machine. */
export function stockDrivesGpu({ gpus, cuda11 }: Pick<SetupFacts, 'gpus' | 'cuda11'>): boolean {
  const { from, below } = stockCapabilities;
  const inRange = ({ computeCapability: value }: SetupGpu) =>
    value === null || (value >= from && value < below);
  return cuda11 && gpus.some(inRange);
}

function attemptFrom(source: TensorflowSource, facts: SetupFacts, request: SetupRequest): SetupAttempt {
  const gpu = facts.gpus[0]?.name;
  if (source === 'stock') {
    const expectsGpu = stockDrivesGpu(facts);
    const reason = expectsGpu
      ? `its CUDA 11 build can use the ${gpu}`
      : 'the build that its makers offer, on the CPU';
    return { source, pipPackage: null, withCuda: false, expectsGpu, reason };
  }
  const cudaHere = gpu !== undefined && facts.arch === 'x64';
  const pipPackage: PipPackage =
    request.pipPackage ?? (cudaHere || facts.arch === 'arm64' ? 'tensorflow' : 'tensorflow-cpu');
  const withCuda = cudaHere && pipPackage === 'tensorflow';
  const reason = withCuda ? `its CUDA 12 build can use the ${gpu}` : 'a current TensorFlow, on the CPU';
  return { source, pipPackage, withCuda, expectsGpu: withCuda, reason };
}

function diskNeeded({ source, withCuda }: SetupAttempt): number {
  return source === 'stock' ? neededBytes.stock : withCuda ? neededBytes.cuda : neededBytes.cpu;
}

function pipObstacle({ platform, arch, glibc, python, compiler }: SetupFacts): Obstacle | null {
  const no = (message: string): Obstacle => ({ source: 'pip', message });
  if (platform !== 'linux')
    return no('Building against a TensorFlow from pip works on Linux only; use --from stock.');
  if (arch !== 'x64' && arch !== 'arm64') return no(`TensorFlow has no build for ${arch} processors.`);
  if (glibc === null) return no('TensorFlow has no build for musl (Alpine); use a system with glibc.');
  if (isOlder(glibc, oldestGlibc))
    return no(`TensorFlow from pip needs glibc ${oldestGlibc}, and this system has ${glibc}.`);
  if (python === null)
    return no('Python 3 was not found on PATH; install it (apt install python3 python3-pip).');
  if (!python.pip) return no(`${python.command} has no pip; install it (apt install python3-pip).`);
  if (compiler === null) return no('No C++ compiler was found on PATH; install one (apt install g++).');
  if (compiler.problem !== null) {
    return no(`${compiler.command} cannot compile C++17 (${compiler.problem}); install g++ 9 or newer.`);
  }
  return null;
}

function stockObstacle({ platform, arch }: SetupFacts): Obstacle | null {
  const offered = { linux: ['x64'], win32: ['x64'], darwin: ['x64', 'arm64'] }[platform as string] ?? [];
  if (offered.includes(arch)) return null;
  return { source: 'stock', message: `There is no stock binary for ${platform} on ${arch}.` };
}

function gpuNotes({ gpus, platform }: SetupFacts, attempts: readonly SetupAttempt[]): string[] {
  const gpu = gpus[0];
  if (platform === 'darwin')
    return ['TensorFlow for Node.js has no GPU build for macOS: it will run on the CPU.'];
  if (gpu === undefined) return ['No NVIDIA GPU was found: TensorFlow will run on the CPU.'];
  if (attempts.some(({ expectsGpu }) => expectsGpu)) return [];
  const remedy = platform === 'win32' ? ' The stock binary needs CUDA 11.2 and cuDNN 8.1 on PATH.' : '';
  return [`The ${gpu.name} will not be used this way: TensorFlow will run on the CPU.${remedy}`];
}

function isOlder(version: string, than: string): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  const [c = 0, d = 0] = than.split('.').map(Number);
  return a < c || (a === c && b < d);
}
