// From plan to training under one limit of memory: what the plan found by running out of it is what training holds.
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCommandProject, type CommandProject } from '../support/commandLine';
import { memoryHungryScript } from '../support/memoryHungryScript';
import { swiftshaderLane, tensorflowLane, type Lane } from '../support/lanes';

interface Case {
  readonly backend: string;
  readonly lane: Lane;
  readonly require: string;
  /** The whole batch. */
  readonly rows: number;
  /** Address space in bytes that leaves room for some of the rows. */
  readonly limitBytes: number;
}

const cases: Case[] = [
  {
    backend: 'tfjs-node-gpu',
    lane: tensorflowLane(),
    require: '@tensorflow/tfjs-node-gpu',
    rows: 10,
    limitBytes: 2.5e9,
  },
  { backend: 'webgpu', lane: swiftshaderLane(), require: '@tensorflow/tfjs', rows: 6, limitBytes: 2.85e9 },
];
const missingPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? null : 'there is no prlimit here';

describe.each(cases)(
  'under a limit of memory, on $backend',
  ({ backend, lane, require, rows, limitBytes }) => {
    let project: CommandProject;
    beforeEach(() => (project = openCommandProject()));
    afterEach(() => project.remove());

    test(
      'what was planned trains to its end without running out of memory, and the whole batch at once does not',
      { timeout: 300_000 },
      async (context) => {
        const reason = lane.missing ?? missingPrlimit;
        if (reason !== null) return context.skip(reason);
        const place = lane.place ?? '';
        if (backend === 'tfjs-node-gpu') {
          symlinkSync(path.join(place, 'node_modules'), project.path('node_modules'));
        }
        const afterwards = "require('node:fs').writeFileSync('ended', '');";
        project.write('train.cjs', memoryHungryScript(require, rows, { epochs: 3, afterwards }));
        const vulkan = { VK_DRIVER_FILES: place, LD_LIBRARY_PATH: path.dirname(place) };
        const options = {
          addressSpaceBytes: limitBytes,
          // The C library gives memory back at once, so that a size needs the same in every process.
          environment: {
            MALLOC_ARENA_MAX: '1',
            MALLOC_MMAP_THRESHOLD_: '65536',
            ...(backend === 'webgpu' ? vulkan : {}),
          },
        };

        const planned = await project.run(['plan', 'train.cjs', '--backend', backend, '--json'], options);
        expect(planned).toMatchObject({ code: 0 });
        const plan = JSON.parse(planned.out) as { largestMicrobatch: number; proof: string };
        expect(plan.proof).toBe('outOfMemory');
        expect(plan.largestMicrobatch).toBeLessThan(rows);

        const trained = await project.run(['train', 'train.accumulation.json'], options);
        expect(trained).toMatchObject({ code: 0 });
        expect(trained.out).not.toMatch(/[Oo]ut of memory/);
        expect(existsSync(project.path('ended'))).toBe(true);

        // The control: with the whole batch the very same training has to cut its microbatch, or TensorFlow ends it.
        rmSync(project.path('ended'));
        const config = project.read('train.accumulation.json');
        project.write(
          'train.accumulation.json',
          config.replace(/"microbatchSize": \d+/, `"microbatchSize": ${rows}`),
        );
        const unplanned = await project.run(['train', 'train.accumulation.json'], options);
        expect(unplanned.code !== 0 || /[Oo]ut of memory at/.test(unplanned.out)).toBe(true);
      },
    );
  },
);
