// Measures what is done after each update so that it can be replayed: the digest of its batch, and its event.
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { finiteLogs, RunReport } from '../../src/engine/train/runReport';
import { installSwitch } from '../support/hookSwitch';
import { openBackend } from '../support/testBackends';

const batch = 32;
const updates = 60;

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

export function percent(part: number): string {
  return `${(part * 100).toPrecision(2)} %`;
}

/** Prints a table. What is measured is a part of the very updates that it is compared with. */
export async function measureUpdate(backend: 'cpu' | 'tensorflow', folder: string): Promise<void> {
  const opened = await openBackend(backend);
  const { tf } = opened;
  const hook = installSwitch(opened);
  hook.settings = { microbatchSize: () => batch / 2, targetBatchSize: null, selfCheck: false };
  const report = new RunReport(mkdtempSync(path.join(folder, 'report-')));
  const rows: Record<string, Record<string, string>> = {};
  for (const { inputs, units } of [
    { inputs: 16, units: 16 },
    { inputs: 784, units: 128 },
  ]) {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units, activation: 'relu', inputShape: [inputs] }),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const [x, y] = [tf.randomUniform([batch, inputs]), tf.zeros([batch, 1])];
    const times = { update: [] as number[], digest: [] as number[], event: [] as number[] };
    let last = performance.now();
    hook.observer = {
      updateEnded: (update, logs) => {
        const ended = performance.now();
        const data = update.digest();
        const digested = performance.now();
        if (data instanceof Promise || logs instanceof Promise) throw new Error('not read at once');
        const { loss = 0, ...metrics } = logs;
        report.event({
          type: 'update',
          call: 0,
          epoch: update.index,
          update: update.index,
          examples: update.rows,
          microbatches: 2,
          ms: ended - last,
          loss,
          metrics: finiteLogs(metrics),
          memoryBytes: 1_000_000,
          data,
        });
        times.update.push(ended - last);
        times.digest.push(digested - ended);
        last = performance.now();
        times.event.push(last - digested);
      },
    };
    await hook.hooked(() => model.fit(x, y, { epochs: updates, batchSize: batch, verbose: 0 }));
    const [update, digest, event] = [times.update, times.digest, times.event].map((each) =>
      median(each.slice(5)),
    );
    const part = (ms = NaN): string => `${(ms * 1000).toFixed(0)} µs = ${percent(ms / (update ?? NaN))}`;
    rows[`${backend}, ${batch} × ${inputs} values`] = {
      'an update': `${(update ?? NaN).toFixed(1)} ms`,
      digest: part(digest),
      event: part(event),
    };
    tf.dispose([x, y]);
  }
  report.close();
  console.table(rows);
}
