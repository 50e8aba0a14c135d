// Builds the training program once for a test file, and runs it in folders of its own, as a user would from a shell.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runEvent, runRecord, type RunEvent, type RunRecord } from '../../src/protocol/runEvents';
import { runOf, type Ended, type Running } from './childRun';
import { swiftshaderLane, tensorflowLane, type Lane } from './lanes';

const root = path.resolve(import.meta.dirname, '../..');
// Inside the repository, so that the bundles find TensorFlow.js where a real installation has it.
const artifacts = path.join(root, 'test/.artifacts');

export interface TrainProgram {
  readonly folder: string;
  /** A new project folder with a script, its config and access to TensorFlow.js. */
  project(options: ProjectOptions): Project;
  remove(): void;
}

export interface ProjectOptions {
  /** Text of the script. */
  readonly script: string;
  readonly scriptName?: string;
  readonly backend?: 'tfjs-node-gpu' | 'wasm' | 'cpu' | 'webgpu';
  readonly targetBatchSize: number;
  readonly microbatchSize: number;
  readonly arguments?: readonly string[];
  /** More of the config. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function buildTrainProgram(): Promise<TrainProgram> {
  mkdirSync(artifacts, { recursive: true });
  const folder = mkdtempSync(path.join(artifacts, 'train-'));
  await build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    external: ['@tensorflow/*', 'webgpu'],
    // jsonc-parser's CommonJS form asks for its parts in a way that no bundler can follow.
    mainFields: ['module', 'main'],
    entryPoints: {
      main: path.join(root, 'test/support/trainMain.ts'),
      preload: path.join(root, 'src/engine/preload.ts'),
      modelEntry: path.join(root, 'src/engine/model/modelEntry.ts'),
    },
    outExtension: { '.js': '.cjs' },
    outdir: folder,
  });
  return {
    folder,
    project: (options) => new Project(folder, options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export class Project {
  readonly folder: string;
  readonly configPath: string;

  constructor(
    private readonly programFolder: string,
    options: ProjectOptions,
  ) {
    const { script, scriptName = 'train.cjs', backend = 'cpu', targetBatchSize, microbatchSize } = options;
    // Outside the program's folder the script would not find @tensorflow; beside it, it is a user's project.
    this.folder = mkdtempSync(path.join(programFolder, 'project-'));
    if (backend === 'tfjs-node-gpu') {
      symlinkSync(
        path.join(lanePlace(tensorflowLane()), 'node_modules'),
        path.join(this.folder, 'node_modules'),
      );
    }
    writeFileSync(path.join(this.folder, scriptName), script);
    this.configPath = path.join(this.folder, 'train.accumulation.json');
    const config = {
      version: 1,
      entry: scriptName,
      backend,
      targetBatchSize,
      microbatchSize,
      training: { kind: 'script', arguments: options.arguments ?? [], folder: '.' },
      ...options.config,
    };
    writeFileSync(this.configPath, JSON.stringify(config, null, 2));
  }

  /** Starts `train` with these arguments, as the leader of a process group, as a shell does. */
  start(...more: string[]): Running {
    const child = spawn(
      process.execPath,
      [path.join(this.programFolder, 'main.cjs'), this.configPath, ...more],
      {
        cwd: this.folder,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...softwareAdapter() },
      },
    );
    return runOf(child);
  }

  run(...more: string[]): Promise<Ended> {
    return this.start(...more).end;
  }

  /** Runs the script as it is, without the product. */
  plain(scriptName = 'train.cjs', ...scriptArguments: string[]): Promise<Ended> {
    const child = spawn(process.execPath, [path.join(this.folder, scriptName), ...scriptArguments], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return runOf(child).end;
  }

  read(name: string): string {
    return readFileSync(path.join(this.folder, name), 'utf8');
  }

  /** Folders of this project's runs, oldest first. */
  runFolders(): string[] {
    const runs = path.join(this.folder, '.batch-planner/runs');
    return readdirSync(runs)
      .sort()
      .map((name) => path.join(runs, name));
  }

  get runFolder(): string {
    return this.runFolders().at(-1) ?? '';
  }

  /** Events of the newest run; a line that is no event is a failure. */
  events(folder = this.runFolder): RunEvent[] {
    const text = readFileSync(path.join(folder, 'events.ndjson'), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => runEvent.parse(JSON.parse(line)));
  }

  record(folder = this.runFolder): RunRecord {
    return runRecord.parse(JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')));
  }
}

/** The Vulkan driver through which WebGPU runs on the processor, where there is one, and the loader that lies beside it. */
function softwareAdapter(): NodeJS.ProcessEnv {
  const lane = swiftshaderLane();
  if (lane.missing !== undefined) return {};
  const libraries = [process.env.LD_LIBRARY_PATH, path.dirname(lane.place)]
    .filter(Boolean)
    .join(path.delimiter);
  return { VK_DRIVER_FILES: lane.place, LD_LIBRARY_PATH: libraries };
}

function lanePlace(lane: Lane): string {
  if (lane.missing !== undefined) throw new Error(lane.missing);
  return lane.place;
}

/** Waits until something holds; fails the test where it does not within `limit` ms. */
export async function until(holds: () => boolean, what: string, limit = 60_000): Promise<void> {
  const end = Date.now() + limit;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
