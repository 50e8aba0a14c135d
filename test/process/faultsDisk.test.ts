// A disk that is full, or a file that may grow no more, while a training runs: it goes on, and what is saved stays sound.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newestSound } from '../../src/engine/train/checkpointReader';
import {
  endAll,
  expectToComplete,
  halfCheckpoints,
  notesIn,
  savedUpdates,
  useFaultProgram,
  type FaultProject,
} from '../support/faults';
import { smallDisk, whyNoSmallDisk, type SmallDisk } from '../support/faultsDisk';
import { until } from '../support/trainProgram';

const epochs = 14;
const faults = useFaultProgram(epochs);

async function onSmallDisk(bytes = 1 << 20): Promise<{ disk: SmallDisk; fault: FaultProject }> {
  const disk = await smallDisk(bytes);
  onTestFinished(() => disk.remove());
  const fault = faults.project({ prefix: disk.prefix, runDir: path.join(disk.inside, 'run') });
  fault.folder = path.join(disk.outside, 'run');
  return { disk, fault };
}

const noDisk = whyNoSmallDisk();
describe.skipIf(noDisk !== null)(`a full disk${noDisk === null ? '' : ` (${noDisk})`}`, () => {
  test('at the start: one sentence, exit code 2, nothing is trained', async () => {
    const { disk, fault } = await onSmallDisk();
    disk.fill();
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^The run folder \S+ cannot be written: the disk is full\. [^\n]*\n$/);
    expect(existsSync(path.join(fault.project.folder, 'weights.json'))).toBe(false);
  });

  test('from an update on: trained to the end, saved in the room of older checkpoints, and told', async () => {
    const { disk, fault } = await onSmallDisk();
    const running = fault.start();
    await fault.untilDone(5);
    const saved = savedUpdates(fault.folder);
    disk.fill();
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    expect(fault.events().at(-1)).toMatchObject({ type: 'ended', how: 'completed' });
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    const told = savingNotes(fault);
    expect(told).not.toEqual([]);
    // Whether room can be made depends on which of the older ones is the best: where it cannot, that is the last word.
    if (told.at(-1) === 'failed') expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(saved);
    else expect(savedUpdates(fault.folder)).toBe(fault.updates);
  });

  test('on which others hold every byte: what was saved before stays sound, and is gone on from', async () => {
    const { disk, fault } = await onSmallDisk();
    const running = fault.start();
    await fault.untilDone(5);
    const done = fault.done();
    disk.keepFull(path.join(fault.folder, 'checkpoints'));
    await until(() => savingNotes(fault).includes('failed'), 'the note');
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
    const { disk, fault } = await onSmallDisk();
    // Slowly: more of it must be left than it takes to notice what it tells.
    const running = fault.start({ updatePause: 100 });
    await fault.untilDone(5);
    const letGo = disk.keepFull(path.join(fault.folder, 'checkpoints'));
    const notWritten = 'The run folder cannot be written (the disk is full)';
    await until(() => {
      // Again: a checkpoint in the making gave its room back.
      disk.fill();
      return running.printed().includes(notWritten);
    }, 'the note');
    const saved = savedUpdates(fault.folder);
    letGo();
    disk.free();
    await until(() => savedUpdates(fault.folder) > saved, 'the next checkpoint');
    const ended = await running.end;
    expect(ended).toMatchObject({ code: 0, err: '' });
    // Each trouble is told once, and its end; where a checkpoint in the making left room for a moment, there were several.
    const times = (text: string): number => ended.out.split(text).length - 1;
    expect(times('The run folder can be written again.')).toBe(times(notWritten));
    expect(savingNotes(fault)).toContain('failed');
    expect(savingNotes(fault).join(' ')).toMatch(/^(?:(?:removed|removed failed|failed) again ?)+$/);
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    const done = fault.events().flatMap((event) => (event.type === 'update' ? [event.update] : []));
    expect(done).toEqual(Array.from({ length: fault.updates }, (_, index) => index));
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    expect(readdirSync(fault.folder)).not.toContain('room.spare');
  });
});

/** What a run told of saving, in order: an older checkpoint was removed for it, it failed, it works again. */
function savingNotes({ folder }: FaultProject): string[] {
  return notesIn(folder).flatMap((note) => {
    if (note.startsWith('The disk is full: an older checkpoint was removed')) return ['removed'];
    if (note.startsWith('The training could not be saved: the disk is full.')) return ['failed'];
    return note === 'The training can be saved again.' ? ['again'] : [];
  });
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
