// Runs the built command line as a user does, in projects of its own, and tells what it wrote and what it left running.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runOf, type Ended, type Running } from './childRun';

const root = path.resolve(import.meta.dirname, '../..');
const cli = path.join(root, 'dist/cli.js');
const markVariable = 'BATCH_PLANNER_TEST_MARK';

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Limit of the address space, in bytes, of the command and of all that it starts (prlimit, Linux). */
  readonly addressSpaceBytes?: number;
}

/** A user's project below the repository, where its TensorFlow.js is found. */
export interface CommandProject {
  /** Its name has a blank, as users' folders do. */
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): string;
  read(name: string): string;
  /** Every file with a digest of what is in it: two that are equal mean that nothing was written, lost or changed. */
  files(): Record<string, string>;
  start(argv: readonly string[], options?: RunOptions): Running;
  run(argv: readonly string[], options?: RunOptions): Promise<Ended>;
  /** What commands left in the folder for temporary files. */
  leftovers(): string[];
  /** Processes that commands started and that still run; always empty where the system does not tell (not Linux). */
  processes(): number[];
  remove(): void;
}

/** Makes an empty project; builds the command line where that was not done. */
export function openCommandProject(): CommandProject {
  if (!existsSync(cli)) spawnSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: 'inherit' });
  const artifacts = path.join(root, 'test/.artifacts');
  mkdirSync(artifacts, { recursive: true });
  const base = mkdtempSync(path.join(artifacts, 'cli-'));
  const folder = path.join(base, 'my project');
  const temporary = path.join(base, 'tmp');
  mkdirSync(folder);
  mkdirSync(temporary);
  // Without it the folder that a script runs in would be the repository's.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const mark = randomUUID();
  const inside = (name: string): string => path.join(folder, name);

  const start = (
    argv: readonly string[],
    { environment = {}, addressSpaceBytes }: RunOptions = {},
  ): Running => {
    const limit = addressSpaceBytes === undefined ? [] : ['prlimit', `--as=${addressSpaceBytes}`];
    const [command = process.execPath, ...words] = [...limit, process.execPath, cli, ...argv];
    // The leader of a process group, as a shell starts it.
    const child = spawn(command, words, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // The test runner's own options are no part of a user's shell.
        NODE_OPTIONS: '',
        NO_COLOR: '1',
        TMPDIR: temporary,
        TEMP: temporary,
        TMP: temporary,
        [markVariable]: mark,
        ...environment,
      },
    });
    return runOf(child);
  };

  return {
    folder,
    path: inside,
    write: (name, text) => {
      mkdirSync(path.dirname(inside(name)), { recursive: true });
      writeFileSync(inside(name), text);
      return inside(name);
    },
    read: (name) => readFileSync(inside(name), 'utf8'),
    files: () => filesBelow(folder),
    start,
    run: (argv, options) => start(argv, options).end,
    // tsx keeps a cache of its own there.
    leftovers: () => readdirSync(temporary).filter((name) => !/^tsx-|^node-compile-cache/.test(name)),
    processes: () => markedProcesses(`${markVariable}=${mark}`),
    remove: () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function filesBelow(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return Object.fromEntries(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
      return [path.relative(folder, file), digest];
    }),
  );
}

/** By the environment, which every child inherits whatever group or session it is in. */
function markedProcesses(mark: string): number[] {
  if (process.platform !== 'linux') return [];
  const numbers = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return numbers.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
    } catch (error) {
      // It ended while it was looked at, or is another user's.
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  });
}
