// What is remembered of how a run is looked at, while the page is hidden or loaded anew.
import { isRecord } from '../pageState';

/** How a person looks at a run. */
export interface RunLook {
  isLog: boolean;
  isSmooth: boolean;
  /** The figure in the second chart; null: the first there is. */
  metric: string | null;
  /** The part of a run that was zoomed to, in updates. */
  zoom: { run: string; from: number; to: number } | null;
  /** Names of the sections that are open. */
  open: string[];
}

/** Where the look is kept. */
export interface StateKeeper {
  /** What was written last, by whatever version of the page; undefined where nothing was. */
  read(): unknown;
  write(look: RunLook): void;
}

/** The kept look, as far as it can be understood. */
export function readLook(kept: unknown): RunLook {
  const from = isRecord(kept) ? kept : {};
  return {
    isLog: from.isLog === true,
    isSmooth: from.isSmooth === true,
    metric: typeof from.metric === 'string' ? from.metric : null,
    zoom: readZoom(from.zoom),
    open: Array.isArray(from.open) ? from.open.filter((name) => typeof name === 'string') : [],
  };
}

function readZoom(kept: unknown): RunLook['zoom'] {
  if (!isRecord(kept)) return null;
  const { run, from, to } = kept;
  if (typeof run !== 'string' || typeof from !== 'number' || typeof to !== 'number') return null;
  return from < to ? { run, from, to } : null;
}
