// What an export says of its plan in comments: the entry, the sizes, each process's share.
import { describeCounts } from '../planning/describe';
import { microbatchCounts } from '../planning/microbatches';
import { shownLine } from '../planning/shownText';
import { formatCount } from '../planning/units';
import type { ExportedPlan } from './exportedPlan';

/** The entry in quotes, on one line whatever is in it: line and paragraph separators end a comment in JavaScript. */
export function shownEntry(entry: string): string {
  return shownLine(JSON.stringify(entry));
}

/** Processes whose share of an update has one size. */
export interface RankShare {
  readonly firstRank: number;
  readonly lastRank: number;
  /** Examples of each of them. */
  readonly examples: number;
}

/** How the processes share an update: sizes differ by at most one, the larger first. */
export function rankShares({ targetBatchSize, worldSize }: ExportedPlan): RankShare[] {
  const smaller = Math.floor(targetBatchSize / worldSize);
  const withOneMore = targetBatchSize - smaller * worldSize;
  return [
    { firstRank: 0, lastRank: withOneMore - 1, examples: smaller + 1 },
    { firstRank: withOneMore, lastRank: worldSize - 1, examples: smaller },
  ].filter(({ firstRank, lastRank }) => lastRank >= firstRank);
}

/** The sizes of an update, a line for each different share. */
export function sharesText(plan: ExportedPlan): string[] {
  const { targetBatchSize, microbatchSize, worldSize } = plan;
  if (worldSize === 1) return [describeCounts(microbatchCounts(targetBatchSize, microbatchSize))];
  return rankShares(plan).map(({ firstRank, lastRank, examples }) => {
    const who =
      firstRank === lastRank
        ? `process ${formatCount(firstRank)}`
        : `each of processes ${formatCount(firstRank)} to ${formatCount(lastRank)}`;
    if (examples <= microbatchSize)
      return `${who}: ${examples === 0 ? 'nothing' : `${formatCount(examples)} at once`}`;
    const sizes = describeCounts(microbatchCounts(examples, microbatchSize));
    return `${who}: ${sizes}`;
  });
}

/** Whether each process's microbatches are all of one size, but for the last partial batch. */
export function isEqual({ targetBatchSize, microbatchSize, worldSize }: ExportedPlan): boolean {
  return targetBatchSize % worldSize === 0 && (targetBatchSize / worldSize) % microbatchSize === 0;
}

/** The largest microbatch up to the plan's of which each process's share is a multiple; null where shares differ. */
export function equalMicrobatch({ targetBatchSize, microbatchSize, worldSize }: ExportedPlan): number | null {
  if (targetBatchSize % worldSize !== 0) return null;
  const share = targetBatchSize / worldSize;
  let size = Math.min(microbatchSize, share);
  while (share % size !== 0) size -= 1;
  return size;
}
