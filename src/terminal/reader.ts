// Notices that the program which reads what is printed is gone: it closed stdin, or the streams broke.
import type { Readable, Writable } from 'node:stream';

export interface ReaderWatch {
  /** Aborted once nobody reads any more. */
  readonly signal: AbortSignal;
  /** Stops watching; stdin no longer keeps the process alive. */
  release(): void;
}

/**
 * Watches the streams that connect this process with its reader. Errors of the streams are taken here, as a write to a
 * pipe or terminal that is gone would end the process otherwise, in the middle of its clean-up.
 * @param input stdin where its end means that the reader is gone; null: it means nothing
 */
export function watchReader(input: Readable | null, outputs: readonly Writable[]): ReaderWatch {
  const abort = new AbortController();
  const gone = (): void => abort.abort();
  for (const output of outputs) output.on('error', gone);
  if (input !== null) {
    for (const event of ['end', 'close', 'error'] as const) input.on(event, gone);
    input.resume();
  }
  return {
    signal: abort.signal,
    release: () => {
      if (input === null) return;
      for (const event of ['end', 'close'] as const) input.off(event, gone);
      input.destroy();
    },
  };
}
