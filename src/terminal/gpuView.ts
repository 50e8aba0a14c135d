// Shows readings of GPUs on a terminal or into a pipe, once or again and again.
import { createLogUpdate } from 'log-update';
import type { DeviceReading } from '../gpu/types';
import { renderGpuTable } from './gpuTable';

/** The part of a terminal stream that is needed to draw. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Shows readings to a person. */
export interface GpuView {
  show(reading: DeviceReading): void;
  /** Leaves the last reading on the screen and the cursor as it was. */
  end(): void;
}

/**
 * Draws over the earlier reading on a terminal when `watch` is set; else prints one after another. Colour only on a
 * terminal and never with NO_COLOR (https://no-color.org), unless FORCE_COLOR asks for it.
 */
export function createGpuView(
  out: TerminalStream,
  options: { watch: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): GpuView {
  const { NO_COLOR: noColor = '', FORCE_COLOR: forceColor = '', TERM: terminal } = environment;
  const color =
    noColor === '' &&
    ((forceColor !== '' && forceColor !== '0') || (out.isTTY === true && terminal !== 'dumb'));
  // Piped, lines may be as long as they like: nothing is left out for a file.
  const columns = (): number =>
    out.isTTY === true ? Math.max(1, out.columns ?? 80) : Number.POSITIVE_INFINITY;
  const lines = (reading: DeviceReading): string[] => renderGpuTable(reading, { columns: columns(), color });
  if (options.watch && out.isTTY === true) {
    const redraw = createLogUpdate(out);
    return { show: (reading) => redraw(lines(reading).join('\n')), end: () => redraw.done() };
  }
  return {
    show: (reading) => {
      const heading = options.watch ? [reading.readAt] : [];
      out.write([...heading, ...lines(reading), ...(options.watch ? [''] : []), ''].join('\n'));
    },
    end: () => undefined,
  };
}
