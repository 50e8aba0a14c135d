// What the files of either format are opened to: rows for each input and output, before they are scaled and encoded.
import type { Scaling } from '../../../planning/modelData';
import { DataError } from './dataError';
import type { Rows } from './rows';
import type { TargetPlan } from './targetPlan';

/** One example of each row number, over all of these. */
export interface Sources {
  /** In the order of the model's inputs. */
  readonly inputs: readonly Rows[];
  /** In the order of the model's outputs; where classes are encoded, checked class numbers. */
  readonly targets: readonly Rows[];
}

export interface RawData {
  readonly training: Sources;
  /** From files of their own; null where there are none. */
  readonly validation: Sources | null;
  /** For each input. */
  readonly scalings: readonly Scaling[];
  /** For each output. */
  readonly plans: readonly TargetPlan[];
  /** Closes the files. */
  close(): void;
}

/** Pairs the model's inputs (or outputs) with what the config names for them. Throws DataError where the numbers differ. */
export function pair<P extends { readonly name: string }, T>(
  ports: readonly P[],
  given: readonly T[],
  key: string,
): { port: P; given: T }[] {
  if (given.length !== ports.length) {
    const kind = key.endsWith('inputs') ? 'input' : 'output';
    const names = ports.map((port) => `"${port.name}"`).join(', ');
    const have = ports.length === 1 ? `one ${kind}` : `${ports.length} ${kind}s`;
    throw new DataError(
      `The model has ${have} (${names}), but "${key}" names ${given.length}: name one for each.`,
    );
  }
  return ports.flatMap((port, i) => given.slice(i, i + 1).map((one) => ({ port, given: one })));
}

/** The number of examples that all sources have. Throws DataError with the counts where they differ. */
export function commonCount({ inputs, targets }: Sources): number {
  const all = [...inputs, ...targets];
  const [count = 0, ...others] = new Set(all.map((source) => source.count));
  if (others.length === 0) return count;
  const listed = all.map((source) => `${source.name} has ${source.count}`).join(', ');
  throw new DataError(`Every input and target needs the same number of examples, but ${listed}.`);
}
