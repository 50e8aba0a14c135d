// What is remembered of how a run is looked at, while the page is hidden or loaded anew.
import { isRecord, keepState, keptState } from '../pageState';

/** How a person looks at a run. */
export interface RunLook {
  isLog: boolean;
  isSmooth: boolean;
  /** The figure in the second chart; null: the first there is. */
  metric: string | null;
  /** The part of a run that was zoomed to, in updates. */
  zoom: { run: string; from: number; to: number } | null;
}

const name = 'run';
const openName = 'runSections';

/** Keeps the names of the sections that are open. */
export function keepOpen(names: readonly string[]): void {
  keepState(openName, names);
}

/** Names of the sections that were open. */
export function keptOpen(): string[] {
  const kept = keptState(openName);
  return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
}

/** Keeps how a run is looked at. */
export function keepLook(look: RunLook): void {
  keepState(name, look);
}

/** What was kept, as far as it can be understood. */
export function keptLook(): RunLook {
  const kept = keptState(name);
  const from = isRecord(kept) ? kept : {};
  return {
    isLog: from.isLog === true,
    isSmooth: from.isSmooth === true,
    metric: typeof from.metric === 'string' ? from.metric : null,
    zoom: readZoom(from.zoom),
  };
}

function readZoom(kept: unknown): RunLook['zoom'] {
  if (!isRecord(kept)) return null;
  const { run, from, to } = kept;
  if (typeof run !== 'string' || typeof from !== 'number' || typeof to !== 'number') return null;
  return from < to ? { run, from, to } : null;
}
