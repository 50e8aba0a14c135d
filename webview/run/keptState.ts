// What the run's part remembers while the page is hidden or loaded anew: how it is looked at, not what it shows.

/** How a person looks at a run. */
export interface RunPartState {
  isLog: boolean;
  isSmooth: boolean;
  /** The figure in the second chart; null: the first there is. */
  metric: string | null;
  /** The part of a run that was zoomed to. */
  zoom: { run: string; from: number; to: number } | null;
  /** Names of the sections that are open. */
  open: string[];
}

/** Where the state is kept. */
export interface StateKeeper {
  /** What was written last, by whatever version of the page; undefined where nothing was. */
  read(): unknown;
  write(state: RunPartState): void;
}

/** The kept state, as far as it can be understood. */
export function readState(kept: unknown): RunPartState {
  const from = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Record<string, unknown>>;
  return {
    isLog: from.isLog === true,
    isSmooth: from.isSmooth === true,
    metric: typeof from.metric === 'string' ? from.metric : null,
    zoom: readZoom(from.zoom),
    open: Array.isArray(from.open) ? from.open.filter((name) => typeof name === 'string') : [],
  };
}

function readZoom(kept: unknown): RunPartState['zoom'] {
  if (typeof kept !== 'object' || kept === null) return null;
  const { run, from, to } = kept as Partial<Record<string, unknown>>;
  if (typeof run !== 'string' || typeof from !== 'number' || typeof to !== 'number') return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? { run, from, to } : null;
}
