// A stand-in for a wall clock that jumps: Date goes hours ahead and back, a jump every few moments. Loaded by --require.
'use strict';
const RealDate = Date;
const start = performance.now();
const hour = 3_600_000;
/** In turn, for 300 ms each. */
const jumps = [0, 5 * hour, -7 * hour, 0, -hour, 30 * hour];
const now = () => RealDate.now() + jumps[Math.floor((performance.now() - start) / 300) % jumps.length];
globalThis.Date = class Date extends RealDate {
  constructor(...words) {
    if (words.length === 0) super(now());
    else super(...words);
  }
  static now() {
    return now();
  }
};
