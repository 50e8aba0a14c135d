// What the errors of a device mean that it tells beside the program: WebGPU throws nothing, its operations return garbage.
import { saysOutOfMemory } from '../../protocol/outOfMemoryText';
import type { DeviceError } from '../backends/choose';

/** What a trial's device errors mean. */
export type DeviceVerdict =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'outOfMemory'; readonly message: string }
  /** The backend cannot run this model, or the device is gone for another reason than memory. */
  | { readonly outcome: 'unfit'; readonly message: string };

/**
 * Judges the errors of one trial. Once memory has run out, later errors are only its consequences (invalid buffers),
 * so one error that says so decides. A buffer above the device's limit is memory running out, too: a smaller
 * microbatch needs a smaller buffer.
 */
export function judgeDeviceErrors(errors: readonly DeviceError[]): DeviceVerdict {
  const memory = errors.find(({ kind, message }) => kind === 'outOfMemory' || saysOutOfMemory(message));
  if (memory !== undefined) return { outcome: 'outOfMemory', message: memory.message };
  const first = errors[0];
  return first === undefined ? { outcome: 'none' } : { outcome: 'unfit', message: first.message };
}
