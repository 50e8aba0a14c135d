// Fakes for hardware that is not there: an nvidia-smi and an lspci that replay what real ones print, put on PATH.
import { build } from 'esbuild';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '../..');

/** The fakes are shell scripts. */
export const fakesCannotRun =
  process.platform === 'win32' ? 'the fake nvidia-smi and lspci are POSIX shell scripts' : null;

/** What a fake nvidia-smi answers. Field values are written as nvidia-smi prints them with `nounits`. */
export interface FakeNvidiaSmi {
  /** One record of `--query-gpu` values a GPU, by field name; a field that is missing in it is refused. */
  readonly gpus?: readonly Readonly<Record<string, string>>[];
  /** Answers of `-L` and of `-q -x`. */
  readonly list?: string;
  readonly xml?: string;
  /** Printed instead of any answer, with the exit code. */
  readonly message?: string;
  readonly exitCode?: number;
  readonly delaySeconds?: number;
}

/** A record of an H100 with driver 580.159.04 and nothing running on it. */
export const h100: Readonly<Record<string, string>> = {
  index: '0',
  uuid: 'GPU-5a1e0b2c-7d33-41f6-9a80-1c2d3e4f5061',
  'pci.bus_id': '00000000:17:00.0',
  'pci.sub_device_id': '0x16C110DE',
  'memory.total': '81559',
  'memory.used': '0',
  'memory.free': '81079',
  'memory.reserved': '480',
  'utilization.gpu': '0',
  'utilization.memory': '0',
  'fan.speed': '[N/A]',
  'temperature.gpu': '31',
  'temperature.memory': '42',
  'power.draw': '69.12',
  'power.limit': '700.00',
  'clocks.gr': '345',
  'clocks.mem': '2619',
  driver_version: '580.159.04',
  'mig.mode.current': 'Disabled',
  name: 'NVIDIA H100 80GB HBM3',
};

/** `lspci -vvv` of one device: its address, class, and name as the vendor list has it. */
export function lspciEntry(address: string, description: string, window = '128G'): string {
  return [
    `${address} ${description}`,
    '\tSubsystem: Device 1234:5678',
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-',
    `\tRegion 2: Memory at 4000000000 (64-bit, prefetchable) [size=${window}]`,
    '',
    '',
  ].join('\n');
}

export const h100OnTheBus = lspciEntry(
  '17:00.0',
  '3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)',
);

/** A temporary folder that is the whole PATH of a reader. */
export class FakeGpuTools {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'batch-planner-gpu-'));
  private readonly pidFile = path.join(this.folder, 'pids');

  /** Environment for the reader: these tools and no others. */
  get environment(): NodeJS.ProcessEnv {
    return { PATH: this.folder, HOME: this.folder };
  }

  /** Puts (or replaces) nvidia-smi; `where` is relative to the folder. */
  nvidiaSmi(fake: FakeNvidiaSmi, where = 'nvidia-smi'): string {
    return this.script(where, [
      ...this.delay(fake.delaySeconds),
      ...(fake.message === undefined
        ? []
        : [`/bin/cat <<'END'\n${fake.message}\nEND`, `exit ${fake.exitCode ?? 9}`]),
      'case "$1" in',
      `-L) /bin/cat <<'END'\n${fake.list ?? ''}\nEND\n;;`,
      `-q) /bin/cat <<'END'\n${fake.xml ?? ''}\nEND\n;;`,
      '--query-gpu=*)',
      'IFS=,',
      ...(fake.gpus ?? []).flatMap((gpu) => [
        'row=""',
        'for field in ${1#--query-gpu=}; do case "$field" in',
        ...Object.entries(gpu).map(([field, value]) => `${field}) value='${value}' ;;`),
        '*) echo "Field \\"$field\\" is not a valid field to query."; exit 2 ;;',
        'esac; row="$row${row:+, }$value"; done; echo "$row"',
      ]),
      ';; esac',
      `exit ${fake.exitCode ?? 0}`,
    ]);
  }

  /** Puts (or replaces) lspci, which lists these entries. */
  lspci(entries: readonly string[], delaySeconds?: number): void {
    this.script('lspci', [...this.delay(delaySeconds), `/bin/cat <<'END'\n${entries.join('')}\nEND`]);
  }

  /** Removes a tool, as if it had been uninstalled. */
  remove(tool: string): void {
    rmSync(path.join(this.folder, tool), { force: true });
  }

  /** Process ids of all the tools that ran, and of what they started. */
  startedPids(): number[] {
    return existsSync(this.pidFile)
      ? readFileSync(this.pidFile, 'utf8').split('\n').filter(Boolean).map(Number)
      : [];
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private delay(seconds: number | undefined): string[] {
    // A child of the tool sleeps, so that ending the tool alone would leave something behind.
    return seconds === undefined ? [] : [`/bin/sleep ${seconds} & echo $! >> '${this.pidFile}'; wait`];
  }

  private script(where: string, lines: readonly string[]): string {
    const file = path.join(this.folder, where);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, ['#!/bin/sh', `echo $$ >> '${this.pidFile}'`, ...lines, ''].join('\n'));
    chmodSync(file, 0o755);
    return file;
  }
}

/** Builds a script of ours as the product is built, into `folder`; `contents` is TypeScript with imports from src. */
export async function buildScript(contents: string, folder: string, name: string): Promise<string> {
  const outfile = path.join(folder, name);
  await build({
    stdin: { contents, resolveDir: path.join(root, 'src'), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'silent',
  });
  return outfile;
}

/** Builds the GPU reader into `folder`. */
export function buildGpuReader(folder: string): Promise<string> {
  return buildScript("import './gpu/reader';", folder, 'gpuReader.js');
}

/** The processes among `pids` that still run after at most `withinMs`; one that only waits to be reaped does not run. */
export async function stillRunning(pids: readonly number[], withinMs = 5_000): Promise<number[]> {
  const until = Date.now() + withinMs;
  for (;;) {
    const running = pids.filter(isRunning);
    if (running.length === 0 || Date.now() > until) return running;
    await sleep(20);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
  const stat = `/proc/${pid}/stat`;
  return !(existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8')));
}
