// The proof that a training survives SIGKILL at any moment: the same tests for each backend.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killedScripts } from './killedScripts';
import {
  eventsOf,
  lastToldUpdates,
  leftBy,
  trainWithKills,
  type Kill,
  type Moment,
  type Target,
} from './killedTraining';
import { buildTrainProgram, type Project, type TrainProgram } from './trainProgram';

export interface KilledSuite {
  readonly backend: 'cpu' | 'tfjs-node-gpu';
  /** Package that the scripts load. */
  readonly tensorflow: string;
  /** Updates of each training, about. */
  readonly updates: number;
  /** Why it cannot run here; null where it can. */
  readonly missing: string | null;
}

/** Five scripts, 20 moments each: 100. */
const momentsPerScript = 20;
/** Kills that one training lives through, at most. */
const mostKills = 5;
const targets: readonly Target[] = ['trainer', 'supervisor', 'both'];
/** Seconds between two checkpoints: as many as are allowed, or none in an epoch. */
const intervals = [0.001, 60];
const seed = 20_261_124;

export function describeKilled({ backend, tensorflow, updates, missing }: KilledSuite): void {
  const title = `on ${backend}, killed with SIGKILL at random moments and gone on with${missing === null ? '' : ` (${missing})`}`;
  describe.skipIf(missing !== null)(title, () => {
    let program: TrainProgram;
    const all: Kill[] = [];
    beforeAll(async () => {
      program = await buildTrainProgram();
    });
    afterAll(() => {
      console.log(
        `${backend}: ${all.length} kills: ${tally(all.map(({ target }) => target))}; ` +
          `during ${tally(all.map(({ during }) => during))}`,
      );
      program.remove();
    });

    test.each(Object.entries(killedScripts))(
      '%s: everything is to the bit what it is without a kill',
      { timeout: 600_000 },
      async (name, script) => {
        const project = (): Project =>
          program.project({
            script: script(tensorflow, updates),
            backend,
            targetBatchSize: 32,
            microbatchSize: 12,
          });
        const whole = project();
        const start = performance.now();
        expect(await whole.run('--seed', String(seed))).toMatchObject({ code: 0, err: '' });
        // On a machine that others use, too, the next one may take longer, or less.
        let life = performance.now() - start;
        const expected = leftBy(whole);
        expect(expected.updates).toEqual(lastToldUpdates(eventsOf(whole)));

        const random = seededRandom(name);
        for (let killed = 0, victims = 0; killed < momentsPerScript; victims++) {
          const moments = Array.from(
            { length: Math.min(mostKills, momentsPerScript - killed) },
            (_, index) => ({
              after: random() * life,
              target: targets[(killed + index) % targets.length] ?? 'both',
            }),
          );
          const checkpointSeconds = intervals[victims % intervals.length] ?? 60;
          const victim = project();
          const begun = performance.now();
          const { kills } = await trainWithKills(victim, moments, { seed, checkpointSeconds });
          if (kills.length === 0) life = performance.now() - begun;
          killed += kills.length;
          all.push(...kills);
          const what = story(moments, kills, checkpointSeconds);
          expect(leftBy(victim), what).toEqual(expected);
          expect(lastToldUpdates(eventsOf(victim)), what).toEqual(expected.updates);
          expect(
            notesOf(victim).filter((note) => !allowed.test(note)),
            what,
          ).toEqual([]);
          expect(victim.record().state).toBe('completed');
        }
      },
    );
  });
}

/** What may be told in a training that was killed and that lost nothing. */
const allowed = /There is no checkpoint to go on from|was ended by SIGKILL/;

function notesOf(project: Project): string[] {
  return eventsOf(project).flatMap((event) =>
    event.type === 'warning' && event.warning.code === 'note' ? [event.warning.message] : [],
  );
}

function story(moments: readonly Moment[], kills: readonly Kill[], checkpointSeconds: number): string {
  const told = kills.map(
    ({ target, during }, index) => `${target} after ${moments[index]?.after ?? 0} ms (${during})`,
  );
  return `a checkpoint each ${checkpointSeconds} s; killed: ${told.join(', ')}`;
}

function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

/** Numbers in [0, 1) that follow from a text (mulberry32 of its FNV-1a hash). */
function seededRandom(text: string): () => number {
  let state = [...text].reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193),
    0x811c9dc5,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
