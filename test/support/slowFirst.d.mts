import { BaseSequencer } from 'vitest/node';

/** See slowFirst.mjs. */
export class SlowFirst extends BaseSequencer {}
