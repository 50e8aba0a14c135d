// Numbers that are random and the same each time, also in place of Math.random, so that two trainings shuffle and draw alike.

/** Numbers from 0 to 1 of the minimal standard generator. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Runs `work` with `Math.random` giving the same numbers each time. */
export async function withSeededRandom<T>(work: () => Promise<T>): Promise<T> {
  const own = Math.random;
  Math.random = seededRandom(20_261_122);
  try {
    return await work();
  } finally {
    Math.random = own;
  }
}
