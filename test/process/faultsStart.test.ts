// A disk that is full, or becomes so, while a training starts: one sentence, its exit code, and nothing is left behind.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventsIn, expectToComplete, useFaultProgram } from '../support/faults';
import { onSmallDisk, whyNoSmallDisk } from '../support/faultsDisk';

const faults = useFaultProgram(2);

/** Code that runs once in a project, where `disk` is the folder of the disk. */
const once =
  (code: string) =>
  (disk: string): string =>
    `if (!fs.existsSync('full')) { fs.writeFileSync('full', ''); const disk = ${JSON.stringify(disk)}; ${code} }`;

/** Takes all bytes of the disk. */
const takesRoom = `
  const filler = fs.openSync(disk + '/filler', 'a');
  for (let size = 65536; size >= 1; ) {
    try { fs.writeSync(filler, Buffer.alloc(size)); }
    catch (error) { if (error.code !== 'ENOSPC') throw error; size >>= 1; }
  }`;
/** Takes all files that the disk can have. */
const takesFiles = `
  fs.mkdirSync(disk + '/taken');
  try { for (let i = 0; ; i++) fs.writeFileSync(disk + '/taken/' + i, ''); }
  catch (error) { if (error.code !== 'ENOSPC') throw error; }`;

const noDisk = whyNoSmallDisk();
describe.skipIf(noDisk !== null)(`a full disk${noDisk === null ? '' : ` (${noDisk})`}`, () => {
  test('on which some of the first files have room: one sentence each time, exit code 2, not even a folder left', async () => {
    const { disk, fault, place } = await onSmallDisk(faults);
    let pages = 0;
    // Lock, control file, run.json and job, each with its temporary name, until there is room for all of them.
    for (; pages < 12; pages++) {
      disk.fill(pages);
      const ended = await fault.run({ updatePause: 0 });
      if (existsSync(path.join(fault.folder, 'run.json'))) break;
      expect(ended).toEqual({
        code: 2,
        signal: null,
        out: '',
        err: `The run folder ${place} cannot be written: the disk is full. Make room there, or name another one with --run-dir.\n`,
      });
      expect(readdirSync(disk.outside)).toEqual(['filler']);
    }
    expect(pages).toBeGreaterThan(1);
    expect(existsSync(path.join(fault.folder, 'run.lock'))).toBe(false);
  });

  test('where a folder was there before: it stays, empty', async () => {
    const { disk, fault } = await onSmallDisk(faults, {
      before: () => 'throw new Error("never comes here");',
    });
    mkdirSync(fault.folder);
    disk.fill(1);
    expect(await fault.run()).toMatchObject({ code: 2, out: '' });
    expect(readdirSync(fault.folder)).toEqual([]);
  });

  test.each([
    { what: 'takes no more files', before: takesFiles, taken: 'taken' },
    { what: 'has no byte left', before: takesRoom, taken: 'filler' },
  ])(
    'that $what as the first call begins: told why, exit code 1, begun anew once there is room',
    async ({ before, taken }) => {
      const { disk, fault, place } = await onSmallDisk(faults, { before: once(before), files: 60 });
      const ended = await fault.run({ updatePause: 0 });
      expect(ended.code).toBe(1);
      const sentence = `The run folder ${place} cannot be used: the disk is full. Make room on its disk, then go on.`;
      expect(ended.err.split(sentence)).toHaveLength(2);
      expect(ended.err).not.toContain('    at ');
      expect(eventsIn(fault.folder)).toEqual([]);
      for (const name of ['run.lock', 'room.spare', 'checkpoints'])
        expect(readdirSync(fault.folder)).not.toContain(name);
      expect(existsSync(path.join(fault.project.folder, 'weights.json'))).toBe(false);
      rmSync(path.join(disk.outside, taken), { recursive: true });
      await expectToComplete(fault, faults.weights);
    },
  );

  test('on which even the error of the script has no room: its exit code is told', async () => {
    const { disk, fault } = await onSmallDisk(faults, {
      before: once(`${takesRoom}\nthrow new Error('not to be told '.repeat(1000));`),
    });
    const ended = await fault.run();
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/^The script ended with exit code 1[^\n]*\n/);
    expect(readdirSync(fault.folder)).not.toContain('run.lock');
    disk.free();
    await expectToComplete(fault, faults.weights);
  });
});
