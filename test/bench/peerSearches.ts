// The searches of other tools, written anew from what they are known to do, to be measured beside ours.
import type { Trial } from '../../src/planning/trial';

export type Run = (microbatch: number) => Promise<Trial>;
/** Gives the size that the tool would train with; 0 where it says that nothing fits. */
export type PeerSearch = (run: Run, cap: number) => Promise<number>;

const fits = async (run: Run, size: number) => (await run(size)).outcome === 'fits';

/** Lightning BatchSizeFinder, mode `power`: from 2, doubled until one fails, then half of that. */
const lightningPower: PeerSearch = async (run, cap) => {
  let size = 2;
  while (await fits(run, size)) {
    if (size >= cap) return size;
    size = Math.min(cap, size * 2);
  }
  return Math.floor(size / 2);
};

/** Lightning, mode `binsearch`: doubled to the first failure, bisected, then 5 % of the size taken off. */
const lightningBinsearch: PeerSearch = async (run, cap) => {
  let low = 1;
  let high = 2;
  while (high <= cap && (await fits(run, high))) [low, high] = [high, high * 2];
  high = Math.min(high, cap + 1);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await fits(run, middle)) low = middle;
    else high = middle;
  }
  return Math.max(1, Math.floor(low * 0.95));
};

/** Hugging Face Accelerate, find_executable_batch_size: from the start value down by a tenth until one fits. */
const accelerate: PeerSearch = async (run, cap) => {
  let size = cap;
  while (size > 0 && !(await fits(run, size))) size = Math.floor(size * 0.9);
  return size;
};

/** MosaicML Composer's automatic microbatch: the whole batch, halved at each failure. */
const composer: PeerSearch = async (run, cap) => {
  for (let size = cap; ; size = Math.floor(size / 2)) {
    if (size < 1) return 0;
    if (await fits(run, size)) return size;
  }
};

/** Ludwig: from 1, doubled until one fails; the last that ran. */
const ludwig: PeerSearch = async (run, cap) => {
  let last = 1;
  for (let size = 1; size <= cap && (await fits(run, size)); size *= 2) last = size;
  return last;
};

export const peerSearches: Readonly<Record<string, PeerSearch>> = {
  'Lightning power': lightningPower,
  'Lightning binsearch': lightningBinsearch,
  'Accelerate × 0.9': accelerate,
  'Composer halving': composer,
  'Ludwig doubling': ludwig,
};
