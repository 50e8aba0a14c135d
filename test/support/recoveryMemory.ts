// Real memory that runs out in a training process: a control group that can be made narrow, and a script that fills it.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A control group of Linux that limits memory. */
export interface MemoryGroup {
  /** File that a process's number is written to so that it, and what it starts, belongs to the group. */
  readonly processes: string;
  /** File that holds the limit in bytes. */
  readonly limit: string;
  remove(): void;
}

/** Makes a group without a limit; the reason where this machine does not let it be made. */
export function openMemoryGroup(): MemoryGroup | { readonly missing: string } {
  for (const { parent, limit } of [
    { parent: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
    { parent: '/sys/fs/cgroup', limit: 'memory.max' },
  ]) {
    const folder = path.join(parent, `batch-planner-test-${process.pid}-${Date.now()}`);
    if (!existsSync(path.join(parent, 'cgroup.procs'))) continue;
    try {
      mkdirSync(folder);
    } catch {
      // Of another user, or a file system that takes no folder: the next one may.
      continue;
    }
    const group = {
      processes: path.join(folder, 'cgroup.procs'),
      limit: path.join(folder, limit),
      remove: () => rmdirSync(folder),
    };
    if (existsSync(group.limit)) return group;
    group.remove();
  }
  return { missing: 'no memory control group can be made here' };
}

/** Lets this process and what it starts belong to a group for as long as `start` runs. */
export function startInGroup<Started>(group: MemoryGroup, start: () => Started): Started {
  const own = ownGroup(path.basename(path.dirname(group.limit)), group);
  writeFileSync(group.processes, String(process.pid));
  try {
    return start();
  } finally {
    writeFileSync(own, String(process.pid));
  }
}

/** The file of the group that this process belongs to now, in the same hierarchy. */
function ownGroup(name: string, { processes }: MemoryGroup): string {
  const isVersion1 = processes.startsWith('/sys/fs/cgroup/memory/');
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const line = lines.find((each) => (isVersion1 ? each.includes(':memory:') : each.startsWith('0::'))) ?? '';
  const group = line.split(':').slice(2).join(':');
  const root = path.dirname(processes).slice(0, -name.length);
  return path.join(root, group, 'cgroup.procs');
}

/** Code that starts another program, and waits until that has taken memory, which it keeps. */
export function takesMemory(bytes: number): string {
  const program = `const taken = Buffer.alloc(${bytes}, 1); console.log('taken'); setTimeout(() => taken.length, 60000);`;
  return `
    await new Promise((resolve) => {
      const { spawn } = require('node:child_process');
      const other = spawn(process.execPath, ['-e', ${JSON.stringify(program)}], { stdio: ['ignore', 'pipe', 'ignore'], env: {} });
      other.stdout.once('data', resolve);
      other.once('exit', resolve);
    });`;
}

/**
 * A training whose every example takes tens of megabytes for a moment, with real gradients.
 * @param before code that runs, and may wait, before the update that `update` counts, from 0, in each process
 */
export function hungryScript({
  tensorflow,
  rows,
  updates,
  epochs,
  before,
}: {
  tensorflow: string;
  rows: number;
  updates: number;
  epochs: number;
  before: string;
}): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
const wide = tf.linspace(0, 1, 1048576).reshape([1, 1048576]);
const loss = (truth, prediction) => {
  let h = tf.mul(wide, tf.sub(prediction, truth));
  for (let i = 0; i < 5; i++) h = tf.tanh(h);
  return tf.mean(tf.square(h), -1);
};
const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], weights: [tf.tensor2d([[0.5], [-0.3]]), tf.zeros([1])] })] });
model.compile({ optimizer: tf.train.adam(0.01), loss });
const count = ${rows * updates};
const x = tf.tensor2d(Float32Array.from({ length: count * 2 }, (_, i) => Math.sin(i)), [count, 2]);
const y = tf.tensor2d(Float32Array.from({ length: count }, (_, i) => Math.cos(i)), [count, 1]);
let update = 0;
const callbacks = { onBatchBegin: async () => { ${before} update++; } };
model.fit(x, y, { batchSize: ${rows}, epochs: ${epochs}, shuffle: true, verbose: 0, callbacks }).then(() => {
  fs.writeFileSync('weights.json', JSON.stringify(model.getWeights().map((w) => [...w.dataSync()])));
});
`;
}
