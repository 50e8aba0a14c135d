// A small disk of a test's own: a file system in memory in a mount namespace, which can be filled, freed and made read-only.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { FaultProgram, FaultProject } from './faults';
import { until } from './trainProgram';

/** Bytes that a file in memory grows by. */
const page = 4096;

export interface SmallDisk {
  /** Where processes started with `prefix` find it. */
  readonly inside: string;
  /** Where the test finds it. */
  readonly outside: string;
  /** Starts a command where the disk is mounted. */
  readonly prefix: readonly string[];
  /** Takes all room that is left, but for some pages of 4 KiB. */
  fill(pagesLeft?: number): void;
  /**
   * As `fill`, and what is removed below a folder of the disk gives no room back, as where a snapshot holds it, until
   * what this gives is called.
   */
  keepFull(folder: string): () => void;
  /** Gives back what `fill` took. */
  free(): void;
  remount(mode: 'ro' | 'rw'): void;
  remove(): void;
}

/** Why there can be no such disk here; null where there can. */
export function whyNoSmallDisk(): string | null {
  if (process.platform !== 'linux') return 'small disks are made by Linux namespaces';
  const tried = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', os.tmpdir()]);
  return tried.status === 0 ? null : 'this user may make no mount namespace';
}

export interface OnSmallDisk {
  readonly disk: SmallDisk;
  readonly fault: FaultProject;
  /** The run folder, as its processes see it. */
  readonly place: string;
}

/**
 * A project whose run folder is on a disk of 1 MiB of its own, until the test is over.
 * @param options `files`: see smallDisk; `before`: gives code that runs before all training, for the folder of the disk
 */
export async function onSmallDisk(
  faults: FaultProgram,
  options: { readonly files?: number; readonly before?: (disk: string) => string } = {},
): Promise<OnSmallDisk> {
  const disk = await smallDisk(1 << 20, options.files);
  onTestFinished(() => disk.remove());
  const place = path.join(disk.inside, 'run');
  const fault = faults.project({
    prefix: disk.prefix,
    runDir: place,
    before: options.before?.(disk.inside) ?? '',
  });
  fault.folder = path.join(disk.outside, 'run');
  return { disk, fault, place };
}

/** @param files that it takes at most, its folders included; as many as there is room for where it is left out */
async function smallDisk(bytes: number, files?: number): Promise<SmallDisk> {
  const inside = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-disk-'));
  const inodes = files === undefined ? '' : `,nr_inodes=${files}`;
  const script = `mount -t tmpfs -o size=${bytes},mode=700${inodes} none "$0" && echo mounted && exec sleep 100000`;
  const holder = spawn('unshare', ['-rm', 'sh', '-c', script, inside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = String(await mounted(holder));
  const outside = path.join('/proc', pid, 'root', inside);
  const enter = ['nsenter', '-t', pid, '-U', '-m', '--preserve-credentials'];
  const filler = path.join(outside, 'filler');
  const held: number[] = [];
  const letGo = (): void => held.splice(0).forEach((descriptor) => closeSync(descriptor));
  return {
    inside,
    outside,
    prefix: enter,
    fill: (pagesLeft = 0) => {
      fillUp(filler);
      truncateSync(filler, Math.max(0, statSync(filler).size - pagesLeft * page));
    },
    keepFull: (folder) => {
      held.push(...opened(folder));
      fillUp(filler);
      return letGo;
    },
    free: () => rmSync(filler, { force: true }),
    remount: (mode) => {
      const [command = '', ...words] = [...enter, 'mount', '-o', `remount,${mode}`, inside];
      const done = spawnSync(command, words);
      if (done.status !== 0) throw new Error(done.stderr.toString());
    },
    remove: () => {
      letGo();
      holder.kill('SIGKILL');
      rmSync(inside, { recursive: true, force: true });
    },
  };
}

async function mounted(holder: ChildProcess): Promise<number> {
  let said = '';
  holder.stdout?.on('data', (piece: Buffer) => (said += piece.toString()));
  await until(() => said.includes('mounted'), 'the small disk', 10_000);
  return holder.pid ?? Number.NaN;
}

/** Descriptors of the files below a folder; one that is removed meanwhile is none of them. */
function opened(folder: string): number[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => {
    if (!entry.isFile()) return [];
    try {
      return [openSync(path.join(entry.parentPath, entry.name), 'r')];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

function fillUp(file: string): void {
  const descriptor = openSync(file, 'a');
  try {
    for (let size = 1 << 16; size >= 1;) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size >>= 1;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
