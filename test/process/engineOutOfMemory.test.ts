// Real out-of-memory: under a limit of the process's memory, what the search finds is what trying every size finds.
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackendName } from '../../src/protocol/backend';
import type { NodeFacts } from '../../src/supervise/scriptCommand';
import { openWorkshop, type Workshop } from '../support/engineWorkshop';
import { memoryHungryScript } from '../support/memoryHungryScript';
import { swiftshaderLane, tensorflowLane, type Lane } from '../support/lanes';

interface Case {
  readonly backend: BackendName;
  readonly lane: Lane;
  readonly require: string;
  /** The whole batch. */
  readonly rows: number;
  /** Address space in bytes that leaves room for some of the rows. */
  readonly limitBytes: number;
  readonly environment: Readonly<Record<string, string>>;
}

const swiftshader = swiftshaderLane();
const cases: Case[] = [
  {
    backend: 'tfjs-node-gpu',
    lane: tensorflowLane(),
    require: '@tensorflow/tfjs-node-gpu',
    rows: 10,
    limitBytes: 2.5e9,
    environment: {},
  },
  {
    backend: 'webgpu',
    lane: swiftshader,
    require: '@tensorflow/tfjs',
    rows: 6,
    limitBytes: 2.85e9,
    environment:
      swiftshader.place === undefined
        ? {}
        : { VK_DRIVER_FILES: swiftshader.place, LD_LIBRARY_PATH: path.dirname(swiftshader.place) },
  },
];

const missingPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? null : 'there is no prlimit here';

describe.each(cases)('$backend', ({ backend, lane, require, rows, limitBytes, environment }) => {
  let workshop: Workshop;
  let entry: string;
  beforeAll(async () => {
    workshop = await openWorkshop({
      // The C library gives memory back at once, so that a size needs the same in every process.
      environment: { ...environment, MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536' },
    });
    if (backend === 'tfjs-node-gpu' && lane.place !== undefined) {
      workshop.useModules(path.join(lane.place, 'node_modules'));
    }
    entry = workshop.write('train.cjs', memoryHungryScript(require, rows));
  });
  afterAll(() => workshop.remove());

  test('the size found is the largest of all that fit', { timeout: 300_000 }, async (context) => {
    const reason = lane.missing ?? missingPrlimit;
    if (reason !== null) context.skip(reason);
    const node = limited(workshop, limitBytes);
    const outcomes: string[] = [];
    for (let size = 1; size <= rows; size++) {
      const { reports, end } = await workshop.measure(entry, { node, trials: [size], backend });
      const fits = reports.some(({ type }) => type === 'trialFits');
      const outOfMemory =
        reports.some(({ type }) => type === 'trialOutOfMemory') ||
        (end.how === 'died' && end.verdict.outcome === 'outOfMemory');
      outcomes.push(fits ? 'fits' : outOfMemory ? 'outOfMemory' : JSON.stringify(end));
    }
    // The limit must lie between two sizes, or nothing is shown.
    expect([outcomes[0], outcomes.at(-1)]).toEqual(['fits', 'outOfMemory']);
    const largest = outcomes.indexOf('outOfMemory');
    expect(outcomes.slice(largest).every((outcome) => outcome === 'outOfMemory')).toBe(true);

    const { search } = await workshop.profile({ entry, backend }, { node });
    expect(search).toMatchObject({ largest, proof: 'outOfMemory' });
    expect(search?.trials.find(({ microbatch }) => microbatch === largest)?.outcome).toBe('fits');
  });
});

/** A Node whose address space is limited. */
function limited(workshop: Workshop, bytes: number): NodeFacts {
  const nodePath = workshop.write(
    `node-${bytes}`,
    `#!/bin/sh\nexec prlimit --as=${bytes} '${process.execPath}' "$@"\n`,
  );
  chmodSync(nodePath, 0o755);
  return { nodePath, nodeVersion: process.versions.node, resolve: () => null };
}
