// Real trainings in child processes: what a plain run would have done is done, told in order, and ends as it should.
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensorflowLane } from '../support/lanes';
import { mlp } from '../support/trainScripts';
import { buildTrainProgram, type TrainProgram } from '../support/trainProgram';

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

describe('a training on cpu', () => {
  test('gives the History, the files and the exit code of the plain script, and tells each update in order', async () => {
    const project = program.project({ script: mlp({ epochs: 3 }), targetBatchSize: 32, microbatchSize: 10 });
    const plain = await project.plain();
    expect(plain.code).toBe(0);
    const reference = JSON.parse(project.read('history.json')) as { loss: number[]; val_loss: number[] };

    const ended = await project.run();
    expect(ended.err).toBe('');
    expect(ended.code).toBe(0);
    const history = JSON.parse(project.read('history.json')) as typeof reference;
    for (const name of ['loss', 'val_loss'] as const) {
      expect(history[name]).toHaveLength(3);
      history[name].forEach((value, i) => expect(value).toBeCloseTo(reference[name][i] ?? NaN, 5));
    }
    const events = project.events();
    expect(events[0]?.type).toBe('started');
    expect(events.at(-1)).toMatchObject({ type: 'ended', how: 'completed', exitCode: 0 });
    const updates = events.filter((event) => event.type === 'update');
    // 100 rows, a fifth of them kept for validation: 32 + 32 + 16.
    expect(
      updates.map(({ update, epoch, examples, microbatches }) => [update, epoch, examples, microbatches]),
    ).toEqual(
      [0, 1, 2].flatMap((epoch) => [
        [epoch * 3, epoch, 32, 4],
        [epoch * 3 + 1, epoch, 32, 4],
        [epoch * 3 + 2, epoch, 16, 2],
      ]),
    );
    expect(updates.every(({ memoryBytes, loss }) => (memoryBytes ?? 0) > 0 && Number.isFinite(loss))).toBe(
      true,
    );
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(3);
    expect(project.record()).toMatchObject({
      state: 'completed',
      attempts: 1,
      microbatchSize: 10,
      targetBatchSize: 32,
    });
  });
});
