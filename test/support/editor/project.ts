// Projects for end-to-end tests, in folders of their own outside the repository: as users have them, with a blank in the name.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Project {
  readonly folder: string;
  /** Absolute path of a file in it. */
  path(name: string): string;
  write(name: string, text: string): string;
  /** Removes a file of it; without a name, all of it. */
  remove(name?: string): void;
}

export function createProject(files: Readonly<Record<string, string>>): Project {
  const base = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-e2e-'));
  const folder = path.join(base, 'my project');
  mkdirSync(folder);
  const project: Project = {
    folder,
    path: (name) => path.join(folder, name),
    write: (name, text) => {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    remove: (name) =>
      rmSync(name === undefined ? base : path.join(folder, name), { recursive: true, force: true }),
  };
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project;
}

/**
 * A training that a test has time to look at: `epochs` epochs of four updates, each followed by a pause of `pauseMs` in the
 * script's own callback; it stops after the epoch in which it finds a file of the name `finish` beside it. It has no
 * TensorFlow.js of its own, so it is lent ours.
 */
export function patientScript({ epochs = 60, pauseMs = 80 } = {}): string {
  return `// A small model, trained slowly enough to be watched.
const fs = require('fs');
const tf = require('@tensorflow/tfjs');

const BATCH = 256;
const pause = () => new Promise((resolve) => setTimeout(resolve, ${pauseMs}));

async function main() {
  const inputs = tf.randomNormal([1280, 32], 0, 1, 'float32', 1);
  const targets = inputs.sum(1, true).tanh();
  const model = tf.sequential({ name: 'patient' });
  model.add(tf.layers.dense({ inputShape: [32], units: 64, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 1 }));
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError', metrics: ['mae'] });
  await model.fit(inputs, targets, {
    batchSize: BATCH,
    epochs: ${epochs},
    validationSplit: 0.2,
    verbose: 0,
    callbacks: {
      onBatchEnd: pause,
      onEpochEnd: async () => {
        if (fs.existsSync('finish')) model.stopTraining = true;
      },
    },
  });
  console.log('the script is done');
}

main();
`;
}

/** A config of the patient script, in `train.js`. */
export const patientConfig = `${JSON.stringify(
  {
    version: 1,
    entry: 'train.js',
    targetBatchSize: 512,
    microbatchSize: 200,
    backend: 'wasm',
    training: { kind: 'script', arguments: [], folder: '.' },
  },
  null,
  2,
)}\n`;

/** Folders of a project's runs, oldest first. */
export function runsOf(project: Project): string[] {
  const runs = project.path('.batch-planner/runs');
  return existsSync(runs)
    ? readdirSync(runs)
        .sort()
        .map((name) => path.join(runs, name))
    : [];
}
