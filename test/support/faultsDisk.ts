// A small disk of a test's own: a file system in memory in a mount namespace, which can be filled, freed and made read-only.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
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
  /** As `fill`, again and again, until what it gives is called. */
  keepFull(): () => void;
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

/** @param files that it takes at most, its folders included; as many as there is room for where it is left out */
export async function smallDisk(bytes: number, files?: number): Promise<SmallDisk> {
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
  let timer: NodeJS.Timeout | undefined;
  return {
    inside,
    outside,
    prefix: enter,
    fill: (pagesLeft = 0) => {
      fillUp(filler);
      truncateSync(filler, Math.max(0, statSync(filler).size - pagesLeft * page));
    },
    keepFull: () => {
      fillUp(filler);
      timer = setInterval(() => fillUp(filler), 1);
      return () => clearInterval(timer);
    },
    free: () => rmSync(filler, { force: true }),
    remount: (mode) => {
      const [command = '', ...words] = [...enter, 'mount', '-o', `remount,${mode}`, inside];
      const done = spawnSync(command, words);
      if (done.status !== 0) throw new Error(done.stderr.toString());
    },
    remove: () => {
      clearInterval(timer);
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
