// What it costs never to lose work: checkpoints, digests of batches and events while training, and the replay after it.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBytes } from '../../src/planning/units';
import { CheckpointStore } from '../../src/engine/train/checkpointStore';
import { tensorflowLane } from '../support/lanes';
import { buildTrainProgram, type TrainProgram } from '../support/trainProgram';
import { denseScript, type DenseSize } from './checkpointsScript';
import { measureUpdate, median, percent } from './checkpointsUpdate';

const missing = tensorflowLane().missing;
const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-cost-'));
let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

const sizes: Record<string, DenseSize> = {
  small: { units: 64, inputs: 64, batch: 32, updates: 60, checkpointEach: 4 },
  // 25 million parameters; with Adam's two slots for each, 300 MB.
  large: { units: 5000, inputs: 5000, batch: 8, updates: 12, checkpointEach: 3 },
};

/**
 * The part of the time that checkpoints take which cost `ms` each, at the default interval, after some hours of training:
 * what the store itself decides by a clock that passes 50 ms an update.
 */
async function shareAfter(hours: number, ms: number): Promise<{ share: number; count: number }> {
  let clock = 0;
  let looks = 0;
  let isWriting = false;
  const now = (): number => {
    if (isWriting && ++looks === 2) clock += ms;
    return clock;
  };
  const store = new CheckpointStore(
    mkdtempSync(path.join(folder, 'store-')),
    { seconds: 60, updates: null },
    now,
  );
  const facts = {
    time: new Date(0).toISOString(),
    position: { call: 0, epoch: 0, update: 0, updateOfEpoch: 0, callEnded: false },
    seed: 1,
    random: [1, 2, 3, 4] as [number, number, number, number],
    monitored: null,
  };
  let count = 0;
  while (clock < hours * 3_600_000) {
    clock += 50;
    store.updateDone();
    if (!store.isDue()) continue;
    count++;
    [isWriting, looks] = [true, 0];
    await store.write(facts, [], () => new Float32Array());
    isWriting = false;
  }
  return { share: (count * ms) / clock, count };
}

describe.skipIf(missing !== undefined)(
  `on real TensorFlow${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    it.each(Object.entries(sizes))(
      'measures checkpoints and the replay of a %s model',
      { timeout: 600_000 },
      async (name, size) => {
        const project = program.project({
          script: denseScript('@tensorflow/tfjs-node-gpu', size),
          backend: 'tfjs-node-gpu',
          targetBatchSize: size.batch,
          microbatchSize: size.batch / 2,
        });
        // The script fails after its training: its updates are then all there are to replay.
        expect((await project.run('--checkpoint-updates', String(size.checkpointEach))).code).toBe(1);
        const events = project.events();
        const bytes = Number(project.read('state-bytes.txt'));
        const saving = median(events.flatMap((event) => (event.type === 'checkpoint' ? [event.ms] : [])));
        const training = median(events.flatMap((event) => (event.type === 'update' ? [event.ms] : [])));
        const first = JSON.parse(project.read('fit-1.json')) as number;
        expect(await project.run('--resume')).toMatchObject({ code: 0 });
        const second = JSON.parse(project.read('fit-2.json')) as number;
        const [hour, day] = [await shareAfter(1, saving), await shareAfter(24, saving)];
        // 2 %, and the second that is free.
        expect(day.share).toBeLessThan(0.0201);
        console.table({
          [`${name}: weights and optimizer`]: formatBytes(bytes),
          'a checkpoint': `${saving.toFixed(0)} ms = ${(saving / training).toFixed(1)} updates of ${training.toFixed(0)} ms`,
          'of the time, after an hour': `${percent(hour.share)} (${hour.count} checkpoints)`,
          'of the time, after a day': `${percent(day.share)} (${day.count} checkpoints)`,
          'all updates replayed': `${percent(second / first)} of the time that they took (${second.toFixed(0)} of ${first.toFixed(0)} ms)`,
        });
      },
    );
  },
);

it.skipIf(missing !== undefined)(
  `measures the digest and the event of an update on real TensorFlow${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: 300_000 },
  () => measureUpdate('tensorflow', folder),
);
