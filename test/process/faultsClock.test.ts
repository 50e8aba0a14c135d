// A wall clock that jumps by hours while a training runs: intervals, names, order and times hold all the same.
import path from 'node:path';
import { expect, test } from 'vitest';
import { RunHistory } from '../../src/supervise/runs/runHistory';
import { createRunFolder } from '../../src/supervise/runs/runFolder';
import { TrainingProgress } from '../../src/supervise/runs/trainingProgress';
import { endAll, expectToComplete, faultProject, savedUpdates, useFaultProgram } from '../support/faults';

const epochs = 12;
const faults = useFaultProgram(epochs);

// A stand-in, as no test may set the machine's clock. Both processes have it, each with jumps of its own.
const hook = `--require ${path.join(import.meta.dirname, '../support/faultsClock.cjs')}`;
const jumping = { environment: { NODE_OPTIONS: hook } };

test('the same weights, every checkpoint, the events in their order, and no time below zero', async () => {
  const fault = faults.project(jumping);
  const ended = await fault.run();
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(fault.project.read('weights.json')).toBe(faults.weights);
  const events = fault.events();
  const times = events.map(({ time }) => Date.parse(time));
  // It did jump.
  expect(times.some((time, i) => time < (times[i - 1] ?? time))).toBe(true);
  const done = events.flatMap((event) => (event.type === 'update' ? [event.update] : []));
  expect(done).toEqual(Array.from({ length: fault.updates }, (_, index) => index));
  expect(events.filter(({ type }) => type === 'checkpoint').length).toBeGreaterThanOrEqual(fault.updates);
  for (const event of events) if ('ms' in event) expect(event.ms).toBeGreaterThanOrEqual(0);
  expect(ended.out).not.toMatch(/-\d[\d.,]* (ms|s|m|h|examples)/);

  const history = new RunHistory('run', Date.parse(fault.project.record(fault.folder).startedAt));
  const progress = new TrainingProgress();
  for (const event of events) {
    history.add(event);
    progress.add(event);
    expect(progress.examplesPerSecond ?? 1).toBeGreaterThan(0);
    expect(progress.leftMs ?? 0).toBeGreaterThanOrEqual(0);
  }
  const points = [...history.parts(0)].flatMap((part) => part.points.timeMs);
  expect(points).toHaveLength(fault.updates);
  expect(Math.min(...points)).toBeGreaterThanOrEqual(0);
  expect(points).toEqual([...points].sort((a, b) => a - b));
});

test('killed and gone on with, also by a clock that is hours behind: nothing is done twice, no lock is stolen', async () => {
  const fault = faults.project(jumping);
  // Held there: it is still under way when the second one has started, however long that takes.
  const running = fault.start({ holdAfter: 8 });
  await fault.untilDone(8);
  const second = await fault.run({ arguments: ['--resume'] });
  expect(second).toMatchObject({ code: 2, out: '' });
  expect(second.err).toContain('is in use by another training');
  await endAll(fault, running);
  expect(savedUpdates(fault.folder)).toBeGreaterThanOrEqual(fault.done() - 1);
  await expectToComplete(fault, faults.weights);
});

test('two runs that begin at the same time of the clock have folders of their own', async () => {
  const { project } = faultProject(faults.program, 1);
  const time = new Date(0);
  const folders = [];
  for (let i = 0; i < 12; i++) folders.push((await createRunFolder(project.folder, 'train.cjs', time)).name);
  expect(new Set(folders).size).toBe(12);
});
