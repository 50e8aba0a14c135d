// Notices that nobody reads any more what is printed: stdin was closed, a pipe broke, or the terminal is gone.
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';

export interface ReaderWatch {
  /** Aborted once nobody reads any more. */
  readonly signal: AbortSignal;
  /** Stops watching, when there is nothing more to print; stdin no longer keeps the process alive. */
  release(): void;
}

/**
 * Watches the streams that connect this process with its reader. Errors of the streams are taken here, as a write to a
 * pipe or terminal that is gone would end the process otherwise, in the middle of its clean-up.
 * @param input stdin where its end means that the reader is gone; null: it means nothing
 * @param signals where the end of the terminal is told
 */
export function watchReader(
  input: Readable | null,
  outputs: readonly Writable[],
  signals: Pick<NodeJS.EventEmitter, 'on' | 'off'> = process,
): ReaderWatch {
  // Asked now: of a terminal that is gone the system says that it is none.
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  const abort = new AbortController();
  const gone = (): void => abort.abort();
  for (const output of outputs) output.on('error', gone);
  signals.on('SIGHUP', gone);
  if (input !== null) {
    for (const event of ['end', 'close', 'error'] as const) input.on(event, gone);
    input.resume();
  }
  return {
    signal: abort.signal,
    release: () => {
      signals.off('SIGHUP', gone);
      // Node.js gives a terminal back as it found it when it exits, and aborts where that fails as it is gone.
      if (abort.signal.aborted) for (const descriptor of terminals) closeSync(descriptor);
      if (input === null) return;
      for (const event of ['end', 'close'] as const) input.off(event, gone);
      input.destroy();
    },
  };
}
