// Checkpoints: what is written is what is read, or it is recognised as damaged; the last two and the best are kept.
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newestSound } from '../../../src/engine/train/checkpointReader';
import { CheckpointStore } from '../../../src/engine/train/checkpointStore';
import { restoreState, stateTensors } from '../../../src/engine/train/checkpointTensors';
import type { LayersModel, Tf } from '../../../src/engine/contracts';
import { RandomSource } from '../../../src/engine/train/randomSource';
import {
  decodeTensorFile,
  encodeHeader,
  tensorData,
  TensorFileError,
  type HostTensor,
  type TensorSource,
} from '../../../src/engine/train/tensorFile';
import { TrainedModels } from '../../../src/engine/train/trainerModels';

const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as Tf;
const folders: string[] = [];
beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-checkpoint-'));
  folders.push(folder);
  return folder;
}

/** The compiled inner model of a small network with batch normalization. */
function model(optimizer: string | ReturnType<Tf['train']['adam']> = 'adam'): LayersModel {
  const sequential = tf.sequential();
  sequential.add(tf.layers.dense({ units: 4, inputShape: [3] }));
  sequential.add(tf.layers.batchNormalization());
  sequential.add(tf.layers.dense({ units: 1 }));
  sequential.compile({ optimizer, loss: 'meanSquaredError' });
  return (sequential as unknown as { model: LayersModel }).model;
}

/** A file in memory. */
function sourceOf(file: Uint8Array): TensorSource {
  return {
    length: file.length,
    read: (start, length) => Uint8Array.from(file.subarray(start, start + length)),
  };
}

const facts = {
  time: '2026-01-01T00:00:00.000Z',
  position: { call: 0, epoch: 1, update: 4, updateOfEpoch: 1, callEnded: false },
  seed: 7,
  random: [1, 2, 3, 4] as [number, number, number, number],
  monitored: null,
};
const read = (tensor: { dataSync(): unknown }): Float32Array => tensor.dataSync() as Float32Array;
const valuesOf = (of: LayersModel): number[][] =>
  stateTensors(of).map(({ tensor }) => [...tensor.dataSync()]);

async function train(one: LayersModel, updates: number): Promise<void> {
  for (let i = 0; i < updates; i++) {
    await one.trainOnBatch(tf.ones([4, 3]).mul(i + 1), tf.ones([4, 1]));
  }
}

describe('a tensor file', () => {
  test('gives back every tensor bit by bit, of any shape and dtype', () => {
    const tensor = fc
      .tuple(
        fc.constantFrom('float32', 'int32', 'bool'),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      )
      .chain(([dtype, shape]) => {
        const size = shape.reduce((product, each) => product * each, 1);
        return fc.uint8Array({ minLength: size * 4, maxLength: size * 4 }).map((bytes): HostTensor => {
          const { buffer } = new Uint8Array(bytes);
          const values =
            dtype === 'float32'
              ? new Float32Array(buffer)
              : dtype === 'int32'
                ? new Int32Array(buffer)
                : new Uint8Array(buffer).slice(0, size);
          return { name: '', dtype: dtype as HostTensor['dtype'], shape, values };
        });
      });
    fc.assert(
      fc.property(fc.array(tensor, { maxLength: 5 }), (unnamed) => {
        const tensors = unnamed.map((each, i) => ({ ...each, name: `weight/${i}` }));
        const file = Buffer.concat([encodeHeader(tensors, { a: 'b' }), ...tensors.map(tensorData)]);
        const decoded = decodeTensorFile(sourceOf(file));
        expect(decoded.metadata).toEqual({ a: 'b' });
        expect(decoded.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual(
          tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
        );
        decoded.tensors.forEach((each, i) =>
          expect(
            Buffer.from(tensorData(each)).equals(Buffer.from(tensorData(tensors[i] as HostTensor))),
          ).toBe(true),
        );
      }),
    );
  });

  test('that is torn or made up is refused, and never read past its end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeTensorFile(sourceOf(Buffer.from(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(TensorFileError);
        }
      }),
    );
  });
});

test('a recurrent layer that keeps its state goes on with it', async () => {
  const recurrent = (): LayersModel => {
    const sequential = tf.sequential();
    const seeds = {
      kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      recurrentInitializer: tf.initializers.glorotUniform({ seed: 2 }),
    };
    sequential.add(tf.layers.lstm({ units: 3, stateful: true, batchInputShape: [2, 4, 1], ...seeds }));
    sequential.add(tf.layers.dense({ units: 1, kernelInitializer: 'ones' }));
    sequential.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    return (sequential as unknown as { model: LayersModel }).model;
  };
  const update = async (one: LayersModel, i: number): Promise<void> => {
    await one.trainOnBatch(tf.ones([2, 4, 1]).mul(Math.sin(i)), tf.ones([2, 1]));
  };
  const whole = recurrent();
  for (let i = 0; i < 3; i++) await update(whole, i);
  const folder = newFolder();
  const store = new CheckpointStore(folder, { seconds: 60, updates: null });
  await store.write(facts, [{ index: 0, name: 'm', model: whole, changed: true }], read);
  const other = recurrent();
  const saved = newestSound(folder).sound?.model(0);
  if (!saved) throw new Error('nothing was saved');
  restoreState(tf, other, saved);
  const tensors = tf.memory().numTensors;
  restoreState(tf, other, saved);
  expect(tf.memory().numTensors).toBe(tensors);
  for (const one of [whole, other]) for (let i = 3; i < 6; i++) await update(one, i);
  expect(valuesOf(other)).toEqual(valuesOf(whole));
  // The control: without the state the result is another one.
  const forgetful = recurrent();
  restoreState(tf, forgetful, saved);
  (forgetful as unknown as { resetStates(): void }).resetStates();
  for (let i = 3; i < 6; i++) await update(forgetful, i);
  expect(valuesOf(forgetful)).not.toEqual(valuesOf(whole));
});

describe('a checkpoint', () => {
  test('puts back weights, moving statistics and slots bit by bit, and leaks no tensor', async () => {
    const folder = newFolder();
    const [one, other] = [model(), model()];
    await train(one, 3);
    const store = new CheckpointStore(folder, { seconds: 60, updates: null });
    await store.write(facts, [{ index: 0, name: 'one', model: one, changed: true }], read);
    const saved = newestSound(folder).sound?.model(0);
    if (!saved) throw new Error('no checkpoint was written');
    await train(other, 1);
    const before = tf.memory().numTensors;
    restoreState(tf, other, saved);
    expect(tf.memory().numTensors).toBe(before);
    expect(valuesOf(other)).toEqual(valuesOf(one));
    await train(one, 1);
    await train(other, 1);
    expect(valuesOf(other)).toEqual(valuesOf(one));
  });

  test.each(['model-0.safetensors', 'state.json'])(
    'with any bit of %s flipped is passed over for the one before',
    async (file) => {
      const folder = newFolder();
      const one = model();
      const store = new CheckpointStore(folder, { seconds: 60, updates: null });
      await store.write(facts, [{ index: 0, name: 'one', model: one, changed: true }], read);
      await store.write(facts, [{ index: 0, name: 'one', model: one, changed: true }], read);
      const place = path.join(folder, '000002', file);
      const sound = readFileSync(place);
      for (let at = 0; at < sound.length; at += 37) {
        const damaged = Buffer.from(sound);
        damaged[at] = (damaged[at] ?? 0) ^ 16;
        writeFileSync(place, damaged);
        const found = newestSound(folder);
        // White space between the entries of state.json is the one thing that may change without harm.
        if (found.sound?.place.endsWith('000002'))
          expect(JSON.parse(damaged.toString())).toEqual(JSON.parse(sound.toString()));
        else {
          expect(found.sound?.place).toBe(path.join(folder, '000001'));
          expect(found.damaged.map(({ place: each }) => path.basename(each))).toEqual(['000002']);
        }
      }
    },
  );

  test('that cannot be written leaves nothing behind, and those before it alone', async () => {
    const folder = newFolder();
    const one = model();
    const store = new CheckpointStore(folder, { seconds: 60, updates: null });
    const models = [{ index: 0, name: 'one', model: one, changed: true }];
    await store.write(facts, models, read);
    const full = (): never => {
      throw new Error('ENOSPC: the disk is full');
    };
    await expect(store.write(facts, models, full)).rejects.toThrow('the disk is full');
    expect(readdirSync(folder)).toEqual(['000001']);
  });

  test('keeps the last two and the best, and links a model that did not change', async () => {
    const folder = newFolder();
    const [one, other] = [model(), model('sgd')];
    const store = new CheckpointStore(folder, { seconds: 60, updates: null });
    const losses = [5, 1, 3, 2, 4];
    for (const [i, value] of losses.entries()) {
      const monitored = { model: 0, name: 'val_loss', value };
      const models = [
        { index: 0, name: 'one', model: one, changed: true },
        { index: 1, name: 'other', model: other, changed: i === 0 },
      ];
      await store.write({ ...facts, monitored }, models, read);
    }
    expect(readdirSync(folder).sort()).toEqual(['000002', '000004', '000005']);
    const inode = (name: string): number => statSync(path.join(folder, name, 'model-1.safetensors')).ino;
    expect(inode('000004')).toBe(inode('000002'));
    // Damage to the last one is no damage to the one before it.
    expect(inode('000005')).not.toBe(inode('000004'));
    expect(newestSound(folder).sound?.model(1)?.optimizer).toBe('SGD');
    // A later process knows the best one, too.
    const later = new CheckpointStore(folder, { seconds: 60, updates: null });
    expect(later.isBest({ model: 0, name: 'val_loss', value: 1.5 })).toBe(false);
    expect(later.isBest({ model: 0, name: 'val_loss', value: 0.5 })).toBe(true);
  });

  test('is due after its interval, and not where checkpoints take more than 2 % of the time', async () => {
    let now = 0;
    const store = new CheckpointStore(newFolder(), { seconds: 60, updates: null }, () => now);
    expect(store.isDue()).toBe(false);
    now = 60_000;
    expect(store.isDue()).toBe(true);
    const slow = (tensor: { dataSync(): unknown }): Float32Array => {
      now += 1000;
      return read(tensor);
    };
    const one = model();
    await store.write(facts, [{ index: 0, name: 'one', model: one, changed: true }], slow);
    const cost = now - 60_000;
    now += 60_000;
    expect(store.isDue()).toBe(false);
    now = (2 * cost) / 0.02;
    expect(store.isDue()).toBe(true);
  });

  test('after a try that failed, the best one is due whatever it costs: its room may be all that there is', async () => {
    let now = 0;
    const folder = path.join(newFolder(), 'checkpoints');
    const store = new CheckpointStore(folder, { seconds: 60, updates: null }, () => now);
    const best = { model: 0, name: 'val_loss', value: 0.5 };
    const costly = (tensor: { dataSync(): unknown }): Float32Array => {
      now += 1000;
      return read(tensor);
    };
    const save = (): Promise<unknown> =>
      store.write(
        { ...facts, monitored: { ...best, value: 1 } },
        [{ index: 0, name: 'one', model: model(), changed: true }],
        costly,
      );
    await save();
    expect(store.isDueAsBest(best)).toBe(false);
    renameSync(folder, `${folder}-moved`);
    writeFileSync(folder, '');
    await expect(save()).rejects.toThrow();
    expect(store.isDueAsBest(best)).toBe(true);
    expect(store.isDueAsBest({ ...best, value: 2 })).toBe(false);
    rmSync(folder);
    renameSync(`${folder}-moved`, folder);
    await save();
    expect(store.isDueAsBest(best)).toBe(false);
  });

  test('refuses a model of another shape and changes nothing of it', async () => {
    const folder = newFolder();
    await new CheckpointStore(folder, { seconds: 60, updates: null }).write(
      facts,
      [{ index: 0, name: 'one', model: model(), changed: true }],
      read,
    );
    const saved = newestSound(folder).sound?.model(0);
    const sequential = tf.sequential({ layers: [tf.layers.dense({ units: 5, inputShape: [3] })] });
    sequential.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const other = (sequential as unknown as { model: LayersModel }).model;
    const before = valuesOf(other);
    expect(() => saved && restoreState(tf, other, saved)).toThrow(
      /weight "weight\/0\/kernel" is float32 \[3, 4\] in the checkpoint/,
    );
    expect(valuesOf(other)).toEqual(before);
  });
});

test('a model that shares a changed weight has changed, one that is disposed is not saved', () => {
  const models = new TrainedModels();
  const shared = tf.layers.dense({ units: 2, inputShape: [2] });
  const [a, b, c] = [shared, shared, tf.layers.dense({ units: 2, inputShape: [2] })].map((layer) => {
    const input = tf.input({ shape: [2] });
    return tf.model({ inputs: input, outputs: layer.apply(input) as ReturnType<typeof tf.input> });
  }) as [LayersModel, LayersModel, LayersModel];
  for (const [i, each] of [a, b, c].entries()) expect(models.indexOf(each, `m${i}`)).toBe(i);
  models.saved();
  models.changed(0);
  expect(models.toSave().map(({ index, changed }) => [index, changed])).toEqual([
    [0, true],
    [1, true],
    [2, false],
  ]);
  c.dispose();
  expect(models.toSave().map(({ index }) => index)).toEqual([0, 1]);
});

describe('the random source', () => {
  test('repeats itself from a seed and from a state, within [0, 1), evenly', () => {
    const source = new RandomSource(42);
    const same = new RandomSource(42);
    const first = Array.from({ length: 10_000 }, source.random);
    expect(Array.from({ length: 10_000 }, same.random)).toEqual(first);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...first)).toBeLessThan(1);
    // Ten equal parts of 1,000: beyond 5 standard deviations (30) something is wrong.
    for (let part = 0; part < 10; part++) {
      expect(Math.abs(first.filter((value) => Math.floor(value * 10) === part).length - 1000)).toBeLessThan(
        150,
      );
    }
    const { state } = source;
    const next = Array.from({ length: 5 }, source.random);
    source.state = state;
    expect(Array.from({ length: 5 }, source.random)).toEqual(next);
    expect(new RandomSource(43).random()).not.toBe(new RandomSource(42).random());
  });
});
