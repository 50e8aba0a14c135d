// A disk that is full, or a file that may grow no more, while a training runs: it goes on, and what is saved stays sound.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  endAll,
  expectToComplete,
  faultProject,
  halfCheckpoints,
  notesIn,
  savedUpdates,
  undisturbed,
  type FaultProject,
} from '../support/faults';
import { smallDisk, whyNoSmallDisk, type SmallDisk } from '../support/faultsDisk';
import { buildTrainProgram, until, type TrainProgram } from '../support/trainProgram';

const epochs = 14;
let program: TrainProgram;
let weights = '';
const disks: SmallDisk[] = [];
beforeAll(async () => {
  program = await buildTrainProgram();
  weights = await undisturbed(program, epochs);
});
afterEach(() => {
  for (const disk of disks.splice(0)) disk.remove();
});
afterAll(() => program.remove());

async function onSmallDisk(bytes = 1 << 20): Promise<{ disk: SmallDisk; fault: FaultProject }> {
  const disk = await smallDisk(bytes);
  disks.push(disk);
  const fault = faultProject(program, epochs, { prefix: disk.prefix, runDir: path.join(disk.inside, 'run') });
  fault.folder = path.join(disk.outside, 'run');
  return { disk, fault };
}

const unwritable = (place: string): string =>
  `The run folder ${place} cannot be written: the disk is full. Make room on its disk: the training goes on, and what it has to tell waits in memory until then.`;
const unsaved = (place: string): string =>
  `The training could not be saved in ${place}: the disk is full. Make room on its disk: it goes on, and is saved again after that.`;
const madeRoom = (place: string): string =>
  `The disk of the run folder ${place} is full: an older checkpoint was removed to save the training. Make room there, so that more than the last one can be kept.`;

const noDisk = whyNoSmallDisk();
describe.skipIf(noDisk !== null)(`a full disk${noDisk === null ? '' : ` (${noDisk})`}`, () => {
  test('at the start: one sentence, exit code 2, nothing is trained', async () => {
    const { disk, fault } = await onSmallDisk();
    disk.fill();
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 2, out: '' });
    const place = path.join(disk.inside, 'run');
    expect(ended.err).toBe(
      `The run folder ${place} cannot be written: the disk is full. Make room there, or name another one with --run-dir.\n`,
    );
    expect(existsSync(path.join(fault.project.folder, 'weights.json'))).toBe(false);
  });

  test('from an update on: trained to the end, saved in the room of older checkpoints, and told', async () => {
    const { disk, fault } = await onSmallDisk();
    const running = fault.start();
    await fault.untilDone(5);
    disk.fill();
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(weights);
    const place = path.join(disk.inside, 'run');
    expect(ended.out.split(unwritable(place))).toHaveLength(2);
    // Whether room can be made at once depends on which of the older ones is the best.
    expect([unsaved(place), madeRoom(place)].filter((note) => ended.out.includes(note))).not.toEqual([]);
    expect(fault.events().at(-1)).toMatchObject({ type: 'ended', how: 'completed' });
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    expect(savedUpdates(fault.folder)).toBe(fault.updates);
  });

  test('on which others take every byte: what was saved before stays sound, and is gone on from', async () => {
    const { disk, fault } = await onSmallDisk();
    const running = fault.start();
    await fault.untilDone(5);
    const done = fault.done();
    const stop = disk.keepFull();
    await until(() => notesIn(fault.folder).some((note) => note.includes('could not be saved')), 'the note');
    const saved = savedUpdates(fault.folder);
    // The interval is an update: the last one may have been told and not saved.
    expect(saved).toBeGreaterThanOrEqual(done - 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    endAll(fault, running);
    await running.end;
    stop();
    expect(savedUpdates(fault.folder)).toBe(saved);
    expect(halfCheckpoints(fault.folder).filter((name) => !name.startsWith('.unfinished-'))).toEqual([]);
    disk.free();
    await expectToComplete(fault, weights);
  });

  test('that has room again: told once and again, the next checkpoint is written, no event is lost', async () => {
    const { disk, fault } = await onSmallDisk();
    const running = fault.start();
    await fault.untilDone(5);
    const stop = disk.keepFull();
    const has = (text: string) => (): boolean => notesIn(fault.folder).some((note) => note.includes(text));
    await until(has('could not be saved'), 'the note');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const saved = savedUpdates(fault.folder);
    stop();
    disk.free();
    await until(() => savedUpdates(fault.folder) > saved, 'the next checkpoint');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    for (const text of [
      unwritable(path.join(disk.inside, 'run')),
      'The run folder can be written again.',
      unsaved(path.join(disk.inside, 'run')),
      'The training can be saved again.',
    ]) {
      expect(ended.out.split(text)).toHaveLength(2);
    }
    expect(fault.project.read('weights.json')).toBe(weights);
    const done = fault.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
    expect(done).toEqual(Array.from({ length: fault.updates }, (_, index) => index));
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    expect(readdirSync(fault.folder)).not.toContain('room.spare');
  });
});

const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
test.skipIf(!hasLimits)(
  'files that may grow no more (prlimit): trained to the end, saved, told',
  async () => {
    const limited = ['prlimit', '--fsize=6500'];
    const fault = faultProject(program, epochs, { prefix: limited });
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(weights);
    expect(fault.done()).toBeLessThan(fault.updates);
    expect(savedUpdates(fault.folder)).toBe(fault.updates);

    const killed = faultProject(program, epochs, { prefix: limited });
    const running = killed.start();
    await until(() => savedUpdates(killed.folder) > killed.done() + 2, 'updates that are saved and not told');
    endAll(killed, running);
    await running.end;
    const saved = savedUpdates(killed.folder);
    expect(saved).toBeLessThan(killed.updates);
    const resumed = await expectToComplete(killed, weights, { prefix: [] });
    expect(resumed.err).toBe('');
  },
);
