// A run folder that may not be written for a while, is gone for a while, or is no folder any more, while a training runs.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  endAll,
  expectToComplete,
  faultProject,
  halfCheckpoints,
  isAlive,
  notesIn,
  savedUpdates,
  useFaultProgram,
} from '../support/faults';
import { onSmallDisk, whyNoSmallDisk } from '../support/faultsDisk';
import { until } from '../support/trainProgram';

const epochs = 12;
const faults = useFaultProgram(epochs);

/** Root may write everywhere, but for what it gives up: its training then meets permissions as any user's does. */
const asUser =
  process.getuid?.() === 0
    ? ['setpriv', ...['bounding-set', 'inh-caps'].map((set) => `--${set}=-dac_override,-dac_read_search`)]
    : [];

describe.runIf(process.platform === 'linux')('a run folder that may not be written (chmod)', () => {
  test('for a while: trained on, told once and again, saved as soon as it may be', async () => {
    const fault = faults.project({ prefix: asUser });
    const running = fault.start();
    await fault.untilDone(5);
    const places = [fault.folder, path.join(fault.folder, 'checkpoints')];
    for (const place of places) chmodSync(place, 0o500);
    const notes = (text: string): number =>
      notesIn(fault.folder).filter((note) => note.includes(text)).length;
    const note = `could not be saved in ${fault.folder}: permission denied. Allow it to be written: it goes on`;
    await until(() => notes(note) > 0, 'the note');
    const saved = savedUpdates(fault.folder);
    await fault.untilDone(fault.done() + 4);
    expect(savedUpdates(fault.folder)).toBe(saved);
    for (const place of places) chmodSync(place, 0o700);
    await until(() => savedUpdates(fault.folder) > saved, 'the next checkpoint');
    expect(await running.end).toMatchObject({ code: 0, err: '' });
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    expect(notes('could not be saved')).toBe(1);
    expect(notes('can be saved again')).toBe(1);
    expect(halfCheckpoints(fault.folder)).toEqual([]);
    expect(savedUpdates(fault.folder)).toBe(fault.updates);
  });

  test('to the end, with what is in it not even to be read: trained to the end', async () => {
    const fault = faults.project({ prefix: asUser });
    const running = fault.start();
    await fault.untilDone(5);
    chmodSync(fault.folder, 0o000);
    onTestFinished(() => chmodSync(fault.folder, 0o700));
    await until(() => existsSync(path.join(fault.project.folder, 'weights.json')), 'the trained weights');
    await running.end;
    expect(fault.project.read('weights.json')).toBe(faults.weights);
    chmodSync(fault.folder, 0o700);
    expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(4);
    expect(fault.done()).toBe(fault.updates);
  });

  test('at Ctrl-C: stopped all the same, told that it could not be saved, and gone on with', async () => {
    const fault = faults.project({ prefix: asUser });
    const running = fault.start();
    await fault.untilDone(5);
    const trainer = fault.trainerPid();
    const places = [fault.folder, path.join(fault.folder, 'checkpoints')];
    const done = fault.done();
    for (const place of places) chmodSync(place, 0o500);
    await fault.untilDone(fault.done() + 2);
    process.kill(running.child.pid ?? Number.NaN, 'SIGINT');
    const ended = await running.end;
    expect(ended.code).toBe(130);
    expect(ended.out).toMatch(/Stopped after update \d+ \(epoch \d+\); it could not be saved/);
    expect(isAlive(trainer)).toBe(false);
    for (const place of places) chmodSync(place, 0o700);
    expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(done - 1);
    await expectToComplete(fault, faults.weights);
  });

  test('from the start, in a project that may not be written: one sentence, exit code 2', async () => {
    const fault = faults.project({ prefix: asUser, runDir: null });
    chmodSync(fault.project.folder, 0o500);
    onTestFinished(() => chmodSync(fault.project.folder, 0o700));
    const ended = await fault.run();
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/^The run folder [^\n]* cannot be written: permission denied\. [^\n]*\n$/);
  });
});

const noDisk = whyNoSmallDisk();
test.skipIf(noDisk !== null)(
  `a disk that is read-only, also for a resume: one sentence, exit code 2${noDisk === null ? '' : ` (${noDisk})`}`,
  async () => {
    const { disk, fault } = await onSmallDisk(faults);
    const running = fault.start();
    await fault.untilDone(5);
    await endAll(fault, running);
    const saved = savedUpdates(fault.folder);
    disk.remount('ro');
    for (const more of [['--resume'], ['--run-dir', path.join(disk.inside, 'other')]]) {
      const ended = await fault.run({ arguments: more });
      expect(ended).toMatchObject({ code: 2, out: '' });
      expect(ended.err).toMatch(
        /^The run folder \S+ cannot be written: the file system is read-only\. [^\n]*\n$/,
      );
    }
    expect(savedUpdates(fault.folder)).toBe(saved);
    disk.remount('rw');
    await expectToComplete(fault, faults.weights);
  },
);

test('gone for a moment and back: nothing is made in its place, and it is trained and saved on', async () => {
  const fault = faults.project();
  const running = fault.start();
  await fault.untilDone(5);
  const elsewhere = `${fault.folder}-moved`;
  renameSync(fault.folder, elsewhere);
  const saved = savedUpdates(elsewhere);
  await until(() => notesIn(elsewhere).some((note) => note.includes('could not be saved')), 'the note', 2500);
  expect(existsSync(fault.folder)).toBe(false);
  renameSync(elsewhere, fault.folder);
  await until(() => savedUpdates(fault.folder) > saved + 1, 'the next checkpoint');
  expect(await running.end).toMatchObject({ code: 0, err: '' });
  expect(fault.project.read('weights.json')).toBe(faults.weights);
  expect(fault.done()).toBe(fault.updates);
  expect(notesIn(fault.folder).filter((note) => note.includes('could not be saved'))).toHaveLength(1);
});

test('replaced by a file: the training ends and says so, and the file is left alone', async () => {
  const fault = faultProject(faults.program, 400);
  const running = fault.start();
  await fault.untilDone(5);
  const trainer = fault.trainerPid();
  const elsewhere = `${fault.folder}-moved`;
  renameSync(fault.folder, elsewhere);
  writeFileSync(fault.folder, 'mine');
  const { code, out, err } = await running.end;
  expect(code).toBe(1);
  expect(out + err).toContain('The run folder was deleted, so the training was ended after update');
  expect(isAlive(trainer)).toBe(false);
  expect(readFileSync(fault.folder, 'utf8')).toBe('mine');
  // What was moved away is whole.
  expect(savedUpdates(elsewhere)).toBeGreaterThanOrEqual(5 - 1);
});

test('without hard links (a stand-in): a model that rests is copied, and all is gone on from', async () => {
  const hook = ['--import', path.join(import.meta.dirname, '../support/faultsNoLinks.mjs')].join(' ');
  const environment = { NODE_OPTIONS: hook };
  // A second model that trains once, before the first: from then on it rests.
  const fault = faults.project({ environment, isSecondModel: true });
  const running = fault.start();
  await fault.untilDone(6);
  await endAll(fault, running);
  const checkpoints = path.join(fault.folder, 'checkpoints');
  const newest =
    readdirSync(checkpoints)
      .filter((name) => /^\d+$/.test(name))
      .sort()
      .at(-1) ?? '';
  const rested = path.join(checkpoints, newest, 'model-0.safetensors');
  expect(statSync(rested).nlink).toBe(1);
  await fault.run({ arguments: ['--resume'], updatePause: 0 });
  const undisturbedTwo = faults.project({ isSecondModel: true });
  expect((await undisturbedTwo.run({ updatePause: 0 })).code).toBe(0);
  expect(fault.project.read('weights.json')).toBe(undisturbedTwo.project.read('weights.json'));
});

test('whose checkpoints folder is removed: it is made again, with every model whole', async () => {
  const fault = faults.project({ isSecondModel: true });
  const running = fault.start();
  await fault.untilDone(6);
  // At once: the trainer may be writing one.
  renameSync(path.join(fault.folder, 'checkpoints'), path.join(fault.project.folder, 'removed'));
  await until(() => savedUpdates(fault.folder) >= 8, 'a checkpoint');
  await endAll(fault, running);
  const resumed = await fault.run({ arguments: ['--resume'], updatePause: 0 });
  expect(resumed).toMatchObject({ code: 0, err: '' });
  const whole = faults.project({ isSecondModel: true });
  expect((await whole.run({ updatePause: 0 })).code).toBe(0);
  expect(fault.project.read('weights.json')).toBe(whole.project.read('weights.json'));
});

test('with a file in the place of its checkpoints: trained to the end, and told', async () => {
  const fault = faults.project();
  const running = fault.start();
  await fault.untilDone(3);
  const checkpoints = path.join(fault.folder, 'checkpoints');
  do {
    // Until the trainer has not made it again in between.
    rmSync(path.join(fault.project.folder, 'removed'), { recursive: true, force: true });
    renameSync(checkpoints, path.join(fault.project.folder, 'removed'));
  } while (!createdFile(checkpoints));
  const ended = await running.end;
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(ended.out).toContain(
    `could not be saved in ${fault.folder}: a part of its path is a file. Put it back`,
  );
  expect(fault.project.read('weights.json')).toBe(faults.weights);
});

/** False where something of that name is there. */
function createdFile(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

describe('what stands where the control file belongs', () => {
  test.each<[string, (file: string) => void]>([
    ['a folder', (file) => mkdirSync(file)],
    ['rubbish', (file) => writeFileSync(file, '\0\0\0{"request":"sto')],
    ['another request', (file) => writeFileSync(file, '{"request":"dance"}')],
    ['a huge file', (file) => writeFileSync(file, Buffer.alloc(1 << 20, '{'))],
    ['a link to a device', (file) => symlinkSync('/dev/zero', file)],
  ])('%s: is no request, and the next one counts', async (_what, put) => {
    const fault = faults.project();
    const running = fault.start();
    await fault.untilDone(3);
    const control = path.join(fault.folder, 'control.json');
    rmSync(control);
    put(control);
    const done = fault.done();
    await fault.untilDone(done + 4);
    rmSync(control, { recursive: true });
    writeFileSync(control, '{"request":"stop"}');
    expect((await running.end).code).toBe(130);
    expect(savedUpdates(fault.folder)).toBe(fault.done());
    expect(fault.done()).toBeLessThan(fault.updates);
  });
});
