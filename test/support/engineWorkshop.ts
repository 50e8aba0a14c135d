// Profiles scripts in folders of their own with the real engine, as the product does: real children, real TensorFlow.js.
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackendName } from '../../src/protocol/backend';
import type { GpuReading } from '../../src/gpu/types';
import { readSystemMemory } from '../../src/gpu/systemMemory';
import {
  profile,
  type ProfileProgress,
  type ProfileRequest,
  type ProfileResult,
  type ProfileTools,
} from '../../src/supervise/profile/profiler';
import { ProfileError } from '../../src/supervise/profile/profilerError';
import { runMeasure, type MeasureOutcome, type MeasureRun } from '../../src/supervise/profile/engineProcess';

const root = path.resolve(import.meta.dirname, '../..');

export interface Workshop {
  /** The project's folder; its name has a blank, as users' folders do. */
  readonly folder: string;
  readonly preloadFile: string;
  /** Temporary files of jobs go here: empty when nothing is left behind. */
  readonly temporaryFolder: string;
  /** Writes a file into the project and returns its path. */
  write(name: string, text: string): string;
  /** Lets scripts find packages in another folder than this repository's. */
  useModules(folder: string): void;
  /** Files that jobs left behind. */
  leftovers(): string[];
  profile(
    request: Partial<ProfileRequest> & { entry: string },
    tools?: Partial<ProfileTools>,
  ): Promise<ProfiledScript>;
  /** One measuring child. */
  measure(
    entry: string,
    run?: Partial<MeasureRun> & { trials?: number[]; backend?: BackendName },
  ): Promise<MeasureOutcome>;
  remove(): void;
}

export interface ProfiledScript extends ProfileResult {
  readonly progress: ProfileProgress[];
}

export interface WorkshopOptions {
  /** Variables that scripts see beside the test runner's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Builds the engine as the product is built and makes an empty project beside it. */
export async function openWorkshop(options: WorkshopOptions = {}): Promise<Workshop> {
  const artifacts = path.join(root, 'test/.artifacts');
  mkdirSync(artifacts, { recursive: true });
  // Inside the repository, so that the engine finds TensorFlow.js where a real installation has it.
  const base = mkdtempSync(path.join(artifacts, 'engine-'));
  const preloadFile = path.join(base, 'preload.cjs');
  await build({
    entryPoints: [path.join(root, 'src/engine/preload.ts')],
    outfile: preloadFile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: ['@tensorflow/*', 'webgpu'],
    logLevel: 'silent',
  });
  const folder = path.join(base, 'my project');
  const temporaryFolder = path.join(base, 'tmp');
  mkdirSync(folder);
  mkdirSync(temporaryFolder);
  const modules = path.join(folder, 'node_modules');
  symlinkSync(path.join(root, 'node_modules'), modules);

  const environment: NodeJS.ProcessEnv = { ...process.env, ...options.environment };
  // The test runner's own options are no part of a user's shell.
  delete environment.NODE_OPTIONS;

  return {
    folder,
    preloadFile,
    temporaryFolder,
    write: (name, text) => {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    useModules: (other) => {
      rmSync(modules);
      symlinkSync(other, modules);
    },
    leftovers: () => readdirSync(temporaryFolder),
    profile: async (request, tools = {}) => {
      const progress: ProfileProgress[] = [];
      const result = await profile(
        {
          arguments: [],
          folder,
          nodeArguments: [],
          backend: null,
          targetBatchSize: null,
          budgetBytes: null,
          gpu: null,
          ...request,
        },
        {
          preloadFile,
          environment,
          temporaryFolder,
          readDevices: () => readMachine(),
          timeouts: { startupMs: 120_000, trialMs: 60_000 },
          ...tools,
          onProgress: (each) => {
            progress.push(each);
            tools.onProgress?.(each);
          },
        },
      );
      return { ...result, progress };
    },
    measure: (entry, { trials = [1, 2], backend = 'cpu', ...run } = {}) =>
      runMeasure({
        job: {
          mode: 'measure',
          entry,
          backend,
          passOver: [],
          targetBatchSize: null,
          trials,
          selfCheck: false,
        },
        script: { main: entry, arguments: [], folder, nodeArguments: [], preloadFile, environment },
        timeouts: { startupMs: 60_000, trialMs: 60_000 },
        availableBytes: null,
        temporaryFolder,
        ...run,
      }),
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The error that a profiling ends with; it must end with one of its own. */
export async function problemOf(work: Promise<unknown>): Promise<ProfileError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProfileError)) throw new Error('no ProfileError', { cause: error });
  return error;
}

/** This machine's memory, and no GPU: what the tests run on everywhere. */
async function readMachine() {
  const gpus: GpuReading[] = [];
  return { gpus, systemMemory: await readSystemMemory(), problems: [], readAt: new Date().toISOString() };
}
