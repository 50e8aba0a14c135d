// Makes a registered backend the active one and makes sure that it is: tfjs falls back in silence.
import { PassedOver } from './types';
import type { Core } from './tensorflow';

/**
 * @throws PassedOver where tfjs says no, or says yes and uses another (engine.ts: a backend that cannot start is
 * replaced by the next one registered)
 */
export async function activate(core: Core, tfjsName: string): Promise<void> {
  let accepted: boolean;
  try {
    accepted = await core.setBackend(tfjsName);
  } catch (error) {
    throw new PassedOver(`it does not start: ${firstLine(error)}`, { cause: error });
  }
  const active = accepted ? core.getBackend() : null;
  if (active !== tfjsName) {
    const instead = active === null ? '' : ` (TensorFlow.js would use "${active}" instead)`;
    throw new PassedOver(`TensorFlow.js could not start it${instead}.`);
  }
}

/** First line of an error's message: what a person needs of a loader's report. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.trim() ?? message;
}
