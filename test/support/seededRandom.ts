// Math.random replaced by a seeded generator while work runs, so that two trainings shuffle and draw alike.

/** Runs `work` with `Math.random` giving the same numbers each time (the minimal standard generator). */
export async function withSeededRandom<T>(work: () => Promise<T>): Promise<T> {
  const own = Math.random;
  let state = 20_261_122;
  Math.random = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  try {
    return await work();
  } finally {
    Math.random = own;
  }
}
