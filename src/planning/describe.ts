// What a plan says in words: the sentence a person came for, and what one who is out of luck can do.
import type { MicrobatchCount } from './microbatches';
import { formatBytes, formatBytesAgainst, formatCount } from './units';
import type { PlanWarning } from './warning';

/** The equation `2,048 = 74 × 22 + 20 × 21`, or a sentence where all fit at once. `sizes` are those of `splitBatch`. */
export function describeSizes(sizes: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  return describeCounts([...counts].map(([size, count]) => ({ size, count })));
}

/** As `describeSizes`, of what `microbatchCounts` gives. */
export function describeCounts(counts: readonly MicrobatchCount[]): string {
  const total = counts.reduce((sum, { size, count }) => sum + size * count, 0);
  if (counts.length === 1 && counts[0]?.count === 1) {
    return total === 1
      ? 'One example is the whole batch: no accumulation needed.'
      : `All ${formatCount(total)} fit at once: no accumulation needed.`;
  }
  const terms = counts.map(({ size, count }) => `${formatCount(count)} × ${formatCount(size)}`);
  return `${formatCount(total)} = ${terms.join(' + ')}`;
}

/** Where the bytes of one update are, for one example at once. */
export interface MemoryParts {
  readonly weightsBytes: number;
  readonly optimizerBytes: number;
  readonly accumulatorBytes: number;
  readonly dataBytes: number;
  /** What the process or device uses beyond tensors: code, allocator, workspaces. */
  readonly overheadBytes: number;
}

export interface NothingFits {
  /** What one example needs; null where it ran out of memory before that was known. */
  readonly needsBytes: number | null;
  /** What may be used; null where it is unknown. */
  readonly hasBytes: number | null;
  /** The device, as a person knows it; null: the computer's own memory. */
  readonly deviceName: string | null;
  /** Null where nothing was measured. */
  readonly parts: MemoryParts | null;
}

const partNames = {
  weightsBytes: 'weights',
  optimizerBytes: "the optimizer's own state",
  accumulatorBytes: 'accumulated gradients',
  dataBytes: 'data kept on the device',
  overheadBytes: 'what runs the model (code, allocator, workspaces)',
  activationBytes: 'activations and temporaries of one example',
} as const;
type Part = keyof typeof partNames;

const remedies: Record<Part, string> = {
  weightsBytes: 'a model with fewer weights',
  optimizerBytes:
    'an optimizer that keeps less for each weight (sgd keeps nothing, momentum one number, adam two)',
  accumulatorBytes: 'a model with fewer weights',
  dataBytes: 'reading the data in pieces with fitDataset, so that the whole set is not on the device',
  overheadBytes: 'a larger budget, as this part is there with any model',
  activationBytes: 'smaller inputs (a shorter sequence, a smaller image) or narrower layers',
};

/** One line each: what one example needs and what there is, the three largest parts of it, what would help. */
export function describeNothingFits(facts: NothingFits): string[] {
  const { needsBytes, hasBytes, deviceName, parts } = facts;
  const where = deviceName === null ? '' : ` on ${deviceName}`;
  const [needsText, hasText] = formatBytesAgainst(needsBytes, hasBytes);
  const has = hasBytes === null ? '' : `${hasText} may be used${where}`;
  const needs =
    needsBytes === null ? 'One example alone ran out of memory' : `One example alone needs ${needsText}`;
  const lines = [
    has === ''
      ? `Not even one example fits. ${needs}${where}.`
      : `Not even one example fits. ${needs}; ${has}.`,
  ];
  const largest = parts === null ? [] : largestParts(parts, needsBytes);
  if (largest.length > 0) {
    const list = largest.map(([part, bytes]) => `${partNames[part]} ${formatBytes(bytes)}`);
    lines.push(`Largest parts: ${list.join(', ')}.`);
  }
  const help = [
    ...new Set(largest.map(([part]) => remedies[part])),
    deviceName === null
      ? 'closing other programs that use much memory'
      : `closing other programs that use ${deviceName}`,
    ...(largest.some(([part]) => part === 'overheadBytes') ? [] : ['a larger budget, where one was set']),
  ];
  lines.push(`What would help: ${help.join('; ')}.`);
  return lines;
}

function largestParts(parts: MemoryParts, needsBytes: number | null): [Part, number][] {
  const { weightsBytes, optimizerBytes, accumulatorBytes, dataBytes, overheadBytes } = parts;
  const known = weightsBytes + optimizerBytes + accumulatorBytes + dataBytes + overheadBytes;
  const all: Record<Part, number> = {
    weightsBytes,
    optimizerBytes,
    accumulatorBytes,
    dataBytes,
    overheadBytes,
    activationBytes: needsBytes === null ? 0 : Math.max(0, needsBytes - known),
  };
  return (Object.keys(all) as Part[])
    .map((part): [Part, number] => [part, all[part]])
    .filter(([, bytes]) => bytes > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3);
}

/** A warning with the names of the layers that it is about, where its own words do not name them. */
export function warningText({ message, layers }: PlanWarning): string {
  const unnamed = layers.filter((layer) => !message.includes(layer));
  return unnamed.length === 0 ? message : `${message} (${unnamed.join(', ')})`;
}
