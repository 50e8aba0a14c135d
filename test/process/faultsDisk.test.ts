// A disk that is full, or a file that may grow no more, while a training runs: it goes on, and what is saved stays sound.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { newestSound } from '../../src/engine/train/checkpointReader';
import { type Ended } from '../support/childRun';
import {
  endAll,
  expectToComplete,
  halfCheckpoints,
  notesIn,
  savedUpdates,
  useFaultProgram,
  type FaultProject,
} from '../support/faults';
import { onSmallDisk, whyNoSmallDisk } from '../support/faultsDisk';
import { until } from '../support/trainProgram';

const epochs = 14;
const faults = useFaultProgram(epochs);

const unwritable = (place: string): string =>
  `The run folder ${place} cannot be written: the disk is full. Make room on its disk: the training goes on, and what it has to tell waits in memory until then.`;
const unsaved = (place: string): string =>
  `The training could not be saved in ${place}: the disk is full. Make room on its disk: it goes on, and is saved again after that.`;
const madeRoom = (place: string): string =>
  `The disk of the run folder ${place} is full: an older checkpoint was removed to save the training. Make room there, so that more than the last one can be kept.`;

const noDisk = whyNoSmallDisk();
describe.skipIf(noDisk !== null)(`a full disk${noDisk === null ? '' : ` (${noDisk})`}`, () => {
  test('at the start: one sentence, exit code 2, nothing is trained', async () => {
    const { disk, fault, place } = await onSmallDisk(faults);
    disk.fill();
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toBe(
      `The run folder ${place} cannot be written: the disk is full. Make room there, or name another one with --run-dir.\n`,
    );
    expect(existsSync(path.join(fault.project.folder, 'weights.json'))).toBe(false);
  });

  test('from an update on: trained to the end, saved in the room of older checkpoints, and told', async () => {
    const { disk, fault, place } = await onSmallDisk(faults);
    const running = fault.start();
    await fault.untilDone(5);
    const saved = savedUpdates(fault.folder);
    disk.fill();
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    expect(fault.events().at(-1)).toMatchObject({ type: 'ended', how: 'completed' });
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    // However often room that a checkpoint left was taken: each time with the folder and what to do.
    expect(times(ended, unwritable(place))).toBe(times(ended, 'cannot be written'));
    const saving = savingNotes(fault, place);
    expect(saving).not.toEqual([]);
    // Whether room can be made depends on which of the older ones is the best: where it cannot, that is the last word.
    if (saving.at(-1) === 'failed') expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(saved);
    else expect(savedUpdates(fault.folder)).toBe(fault.updates);
  });

  test('on which others hold every byte: what was saved before stays sound, and is gone on from', async () => {
    const { disk, fault, place } = await onSmallDisk(faults);
    const running = fault.start();
    await fault.untilDone(5);
    const done = fault.done();
    disk.keepFull(path.join(fault.folder, 'checkpoints'));
    await until(() => savingNotes(fault, place).includes('failed'), 'the note');
    const saved = savedUpdates(fault.folder);
    // The interval is an update: the last one may have been told and not saved.
    expect(saved).toBeGreaterThanOrEqual(done - 1);
    await fault.untilDone(fault.done() + 3);
    await endAll(fault, running);
    const { sound, damaged } = newestSound(path.join(fault.folder, 'checkpoints'));
    expect(sound?.state.position.update).toBeGreaterThanOrEqual(saved);
    expect(damaged).toEqual([]);
    disk.free();
    await expectToComplete(fault, faults.weights);
  });

  test('that has room again: told when it begins and when it is over, the next checkpoint is written, no event is lost', async () => {
    const { disk, fault, place } = await onSmallDisk(faults);
    // Slowly: more of it must be left than it takes to notice what it tells.
    const running = fault.start({ updatePause: 100 });
    await fault.untilDone(5);
    const letGo = disk.keepFull(path.join(fault.folder, 'checkpoints'));
    await until(() => {
      // Again: a checkpoint in the making gave its room back.
      disk.fill();
      return running.printed().includes(unwritable(place));
    }, 'the note');
    const saved = savedUpdates(fault.folder);
    letGo();
    disk.free();
    await until(() => savedUpdates(fault.folder) > saved, 'the next checkpoint');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    // Each trouble is told once, and its end; where a checkpoint in the making left room for a moment, there were several.
    expect(times(ended, 'The run folder can be written again.')).toBe(times(ended, unwritable(place)));
    const saving = savingNotes(fault, place);
    expect(saving).toContain('failed');
    expect(saving.join(' ')).toMatch(/^(?:(?:removed|removed failed|failed) again ?)+$/);
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    const done = fault.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
    expect(done).toEqual(Array.from({ length: fault.updates }, (_, index) => index));
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    expect(readdirSync(fault.folder)).not.toContain('room.spare');
  });
});

/** What a run told of saving, in order: an older checkpoint was removed for it, it failed, it works again. */
function savingNotes({ folder }: FaultProject, place: string): string[] {
  return notesIn(folder).flatMap((note) => {
    if (note === madeRoom(place)) return ['removed'];
    if (note === unsaved(place)) return ['failed'];
    return note === 'The training can be saved again.' ? ['again'] : [];
  });
}

/** How often a text was shown. */
function times({ out }: Ended, text: string): number {
  return out.split(text).length - 1;
}

const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
test.skipIf(!hasLimits)(
  'files that may grow no more (prlimit): trained to the end, saved, told',
  async () => {
    const limited = ['prlimit', '--fsize=6500'];
    const fault = faults.project({ prefix: limited });
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    expect(fault.done()).toBeLessThan(fault.updates);
    expect(savedUpdates(fault.folder)).toBe(fault.updates);

    const killed = faults.project({ prefix: limited });
    const running = killed.start();
    await until(() => savedUpdates(killed.folder) > killed.done() + 2, 'updates that are saved and not told');
    await endAll(killed, running);
    const saved = savedUpdates(killed.folder);
    expect(saved).toBeLessThan(killed.updates);
    const resumed = await expectToComplete(killed, faults.weights, { prefix: [] });
    expect(resumed.err).toBe('');
  },
);
