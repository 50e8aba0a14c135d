// Waits for what an editor does in its own time.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until the answer is neither null, undefined nor false, and gives it.
 * @throws Error that names `what`, after `withinMs`
 */
export async function poll<Answer>(
  what: string,
  ask: () => Answer | null | undefined | false | Promise<Answer | null | undefined | false>,
  withinMs = 30_000,
): Promise<Answer> {
  const until = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > until) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(100);
  }
}
