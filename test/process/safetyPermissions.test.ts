// What a run and its jobs leave on the disk is for its owner alone, whatever the umask is.
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/protocol/exitCodes';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { denseScript } from '../support/planScripts';

const limit = 240_000;
let project: CommandProject;
let mask: number;
beforeEach(() => {
  project = openCommandProject();
  // Every new file would be everyone's to read and write.
  mask = process.umask(0);
});
afterEach(() => {
  process.umask(mask);
  const left = { files: project.leftovers(), processes: project.processes() };
  project.remove();
  expect(left).toEqual({ files: [], processes: [] });
});

/** Each file and folder that others have a right to, with its mode. */
function openToOthers(folder: string): string[] {
  const info = statSync(folder, { throwIfNoEntry: false });
  if (info === undefined) return [];
  const own = (info.mode & 0o077) === 0 ? [] : [`${folder} ${(info.mode & 0o777).toString(8)}`];
  const inside = info.isDirectory() ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
  return [...own, ...inside.flatMap(openToOthers)];
}

/** Looks at what lies in the folder for temporary files while something runs. */
async function whileWatching<T>(
  work: () => Promise<T>,
): Promise<{ result: T; open: string[]; seen: Set<string> }> {
  const temporary = path.join(project.folder, '../tmp');
  const open = new Set<string>();
  const seen = new Set<string>();
  const look = (): void => {
    // tsx and Node keep caches of their own there.
    for (const name of readdirSync(temporary).filter((each) => each.startsWith('batch-planner-'))) {
      seen.add(name);
      for (const place of openToOthers(path.join(temporary, name))) open.add(place);
    }
  };
  const timer = setInterval(look, 5);
  try {
    return { result: await work(), open: [...open], seen };
  } finally {
    clearInterval(timer);
  }
}

describe.skipIf(process.platform === 'win32')(
  'on systems with a umask (Windows passes on the rights of the folder above)',
  () => {
    for (const where of ['foreground', 'background', 'named'] as const) {
      test(`a run: ${where}`, { timeout: limit }, async () => {
        project.write('train.cjs', denseScript());
        const planning = ['plan', 'train.cjs', '--target-batch', '16', '--backend', 'cpu', '--budget', '4GB'];
        const planned = await whileWatching(() => project.run(planning));
        expect(planned.result.code, planned.result.out + planned.result.err).toBe(exitCodes.done);
        expect(planned.seen.size).toBeGreaterThan(0);
        expect(planned.open).toEqual([]);

        const named = project.path('my run');
        if (where === 'named') mkdirSync(named);
        const more = { foreground: [], background: ['--background'], named: ['--run-dir', named] }[where];
        const training = ['train', 'train.accumulation.json', ...more];
        const trained = await whileWatching(() => project.run(training));
        expect(trained.result.code, trained.result.out + trained.result.err).toBe(exitCodes.done);
        expect(trained.open).toEqual([]);

        const folder = where === 'named' ? named : project.path('.batch-planner');
        expect(openToOthers(folder)).toEqual([]);
        const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
          path.basename(name),
        );
        expect(names).toEqual(
          expect.arrayContaining(['run.json', 'events.ndjson', 'trainer.log', 'state.json']),
        );
        expect(names.includes('supervisor.log')).toBe(where === 'background');
      });
    }
  },
);
