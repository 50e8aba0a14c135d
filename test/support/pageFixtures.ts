// Views of the page as the extension would send them, with realistic plans made by hand.
import type { PageView, PlanView } from '../../src/protocol/page';

/** A page of `train.js` that shows this plan and no run. */
export function pageViewOf(plan: PlanView, more: Partial<PageView> = {}): PageView {
  return {
    entryName: 'train.js',
    entryPath: 'examples/digits/train.js',
    isTrusted: true,
    plan,
    run: null,
    earlierRuns: [],
    comparedRun: null,
    ...more,
  };
}
