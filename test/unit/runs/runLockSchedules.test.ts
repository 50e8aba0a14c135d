// The lock of a run folder under thousands of schedules: whoever is slow or dies wherever, at most one process holds it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { claimOf, RunLock, RunLockedError, type ProcessFacts } from '../../../src/supervise/runs/runLock';

/** One of the processes that want the lock, simulated: its steps on the disk happen one by one, when the schedule says so. */
interface Contender {
  readonly pid: number;
  /** Its next step on the disk, once it waits to make one. */
  step: (() => void) | null;
  state: 'wanting' | 'holding' | 'refused' | 'dead';
}

/** A disk of one folder. Each operation is atomic, as the file systems' are. */
const disk = new Map<string, string>();
const current = new AsyncLocalStorage<Contender>();

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The contender does this when the schedule comes to it, and never where it dies before. */
function whenScheduled<T>(operation: () => T): Promise<T> {
  const contender = current.getStore();
  if (contender === undefined) throw new Error('only contenders use this disk');
  return new Promise((resolve, reject) => {
    contender.step = () => {
      contender.step = null;
      try {
        resolve(operation());
      } catch (error) {
        reject(error as Error);
      }
    };
  });
}

vi.mock('node:fs/promises', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  readFile: (file: string) =>
    whenScheduled(() => {
      const text = disk.get(file);
      if (text === undefined) throw failure('ENOENT');
      return text;
    }),
  writeFile: (file: string, text: string, { flag }: { flag: string }) =>
    whenScheduled(() => {
      if (flag !== 'wx' || disk.has(file)) throw failure('EEXIST');
      disk.set(file, text);
    }),
  link: (from: string, to: string) =>
    whenScheduled(() => {
      const text = disk.get(from);
      if (text === undefined || disk.has(to)) throw failure(text === undefined ? 'ENOENT' : 'EEXIST');
      disk.set(to, text);
    }),
  rm: (file: string) => whenScheduled(() => void disk.delete(file)),
}));
vi.mock('node:timers/promises', () => ({ setTimeout: () => whenScheduled(() => undefined) }));

const ownPid = Object.getOwnPropertyDescriptor(process, 'pid');
beforeAll(() => {
  const { pid } = process;
  Object.defineProperty(process, 'pid', { configurable: true, get: () => current.getStore()?.pid ?? pid });
});
afterAll(() => {
  if (ownPid) Object.defineProperty(process, 'pid', ownPid);
});

const file = 'run.lock';
const firstPid = 100;
const textOf = (pid: number) =>
  JSON.stringify({ pid, startTime: `boot ${pid}`, host: hostname(), trainer: null });

/** All promises that can go on do so, up to the next steps on the disk. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs contenders for a lock that a dead process left, and maybe a dead one that removed it.
 * @param schedule numbers by which the next step is chosen: whose it is, and whether that one dies instead
 * @returns the most that held the lock at once, and the contenders at the end
 */
async function race(
  count: number,
  deadClaim: boolean,
  schedule: readonly { readonly whose: number; readonly dies: boolean }[],
): Promise<{ most: number; contenders: readonly Contender[] }> {
  disk.clear();
  const contenders: Contender[] = Array.from({ length: count }, (_, index) => ({
    pid: firstPid + index,
    step: null,
    state: 'wanting',
  }));
  const processes: ProcessFacts = {
    isAlive: (pid) => contenders.some((one) => one.pid === pid && one.state !== 'dead'),
    startTime: (pid) => Promise.resolve(`boot ${pid}`),
  };
  disk.set(file, textOf(1));
  if (deadClaim) disk.set(claimOf(file, textOf(1)), textOf(2));
  for (const contender of contenders) {
    current.run(contender, () => {
      RunLock.acquire(file, 'folder', processes).then(
        () => (contender.state = 'holding'),
        (error: unknown) => {
          if (!(error instanceof RunLockedError)) throw error;
          contender.state = 'refused';
        },
      );
    });
  }
  let most = 0;
  const next = async (whose: number, dies: boolean): Promise<boolean> => {
    await settle();
    most = Math.max(most, contenders.filter(({ state }) => state === 'holding').length);
    const waiting = contenders.filter(({ step, state }) => step !== null && state !== 'dead');
    const chosen = waiting[whose % waiting.length];
    if (chosen === undefined) return false;
    // One always lives on, to whom the lock must come.
    if (dies && contenders.filter(({ state }) => state !== 'dead').length > 1) chosen.state = 'dead';
    else chosen.step?.();
    return true;
  };
  for (const { whose, dies } of schedule) await next(whose, dies);
  // What is not told by the schedule goes in turn.
  for (let turn = 0; await next(turn, false); turn += 1) if (turn > 5_000) throw new Error('it never ends');
  return { most, contenders };
}

const schedules = fc.array(
  fc.record({
    whose: fc.nat(60),
    dies: fc.integer({ min: 0, max: 24 }).map((chance) => chance === 0),
  }),
  { minLength: 20, maxLength: 150, size: 'max' },
);

test('at most one process holds a lock that was a dead one’s, under any schedule', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 5 }),
      fc.boolean(),
      schedules,
      async (count, deadClaim, schedule) => {
        const { most, contenders } = await race(count, deadClaim, schedule);
        expect(most).toBeLessThanOrEqual(1);
        const living = contenders.filter(({ state }) => state !== 'dead');
        expect(living.filter(({ state }) => state === 'wanting')).toEqual([]);
        // Those that were refused met one who held it, and may have died since.
        if (living.length === contenders.length) expect(most).toBe(1);
      },
    ),
    { numRuns: 3_000, seed: 7 },
  );
}, 120_000);
