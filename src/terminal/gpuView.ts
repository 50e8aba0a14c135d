// Shows readings of GPUs on a terminal or into a pipe, once or again and again.
import { createLogUpdate } from 'log-update';
import type { DeviceReading } from '../gpu/types';
import { renderGpuTable } from './gpuTable';
import { terminalStyle } from './style';

/** The part of a terminal stream that is needed to draw. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Shows readings to a person. */
export interface GpuView {
  show(reading: DeviceReading): void;
  /** Leaves the last reading on the screen and the cursor as it was. */
  end(): void;
}

/** Draws over the earlier reading on a terminal when `watch` is set; else prints one after another. */
export function createGpuView(
  out: TerminalStream,
  options: { watch: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): GpuView {
  const { isLive, colors, columns } = terminalStyle(out, environment);
  const lines = (reading: DeviceReading): string[] => renderGpuTable(reading, { columns: columns(), colors });
  if (options.watch && isLive) {
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
