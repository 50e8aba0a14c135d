// What the page keeps while it is hidden or reloaded: open sections, what-if values, how charts are shown.
import { vscodeApi } from './vscodeApi';

/** What was kept under this name; the reader checks it, as an earlier version of the page may have written it. */
export function keptState(name: string): unknown {
  return all()[name];
}

/** Keeps a value that JSON can hold. */
export function keepState(name: string, value: unknown): void {
  vscodeApi.setState({ ...all(), [name]: value });
}

function all(): Readonly<Record<string, unknown>> {
  const state = vscodeApi.getState();
  return isRecord(state) ? state : {};
}

/** Whether it is an object with named values, as JSON gives it. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
