// Tells an out-of-memory from a bug among the errors that training throws, and cleans up after one.
import { saysOutOfMemory } from '../../protocol/outOfMemoryText';

/** Whether an error, or one that caused it, says that memory ran out. */
export function isOutOfMemory(error: unknown): boolean {
  for (let cause = error, depth = 0; cause !== undefined && cause !== null && depth < 8; depth++) {
    if (cause instanceof Error) {
      if (saysOutOfMemory(`${cause.name}: ${cause.message}`)) return true;
      cause = cause.cause;
    } else {
      return typeof cause === 'string' && saysOutOfMemory(cause);
    }
  }
  return false;
}

/** What is touched of tfjs's engine: private there, plain properties at run time. */
interface TapeEngine {
  readonly state: {
    activeTape: { readonly saved?: readonly { dispose(): void; isDisposed?: boolean }[] }[] | null;
  };
}

/**
 * Frees what a step that threw left behind. tfjs keeps the tensors saved for the backward pass outside every tidy and
 * frees them only after a whole backward pass; without this the next attempt on tfjs-node dies of a segmentation
 * fault. Call it outside a tidy of the failed step. No weight has changed before the optimizer was applied.
 */
export function releaseActiveTape(core: { engine(): unknown }): void {
  const engine = core.engine() as Partial<TapeEngine> | null;
  const state = engine?.state;
  if (state === undefined || !Array.isArray(state.activeTape)) return;
  for (const node of state.activeTape) {
    for (const tensor of node.saved ?? []) if (tensor.isDisposed !== true) tensor.dispose();
  }
  state.activeTape = null;
}
