// Turns WebGPU's events into device errors: nothing that fails there is thrown, and results are zeros or stale data.
import type { DeviceError, DeviceErrorListener } from './types';

/** What is used of a GPUDevice; Node has no types for it. */
export interface GpuDevice {
  readonly lost: Promise<{ readonly reason?: string; readonly message: string }>;
  readonly limits: Readonly<Record<string, number>>;
  readonly queue: { onSubmittedWorkDone(): Promise<void> };
  addEventListener(type: 'uncapturederror', listener: (event: GpuErrorEvent) => void): void;
  destroy(): void;
}
interface GpuErrorEvent {
  readonly error: { readonly message: string; readonly constructor: { readonly name: string } };
  preventDefault(): void;
}

/** A buffer or binding above the device's limits: what was asked for does not fit on this device. */
const overLimit =
  /exceeds the max buffer size limit|larger than the maximum (?:storage )?(?:buffer )?binding size|maxStorageBufferBindingSize|maxBufferSize/i;
const memoryText = /OUT_OF_(?:DEVICE|HOST)_MEMORY|out of memory/i;
/** Follows from an earlier error and says nothing of its own. */
const consequence = /is invalid due to a previous error/i;

/** The kind of an `uncapturederror`, from its class and Dawn's text; `before` is the kind of the error before it. */
export function classifyDeviceError(
  className: string,
  message: string,
  before: DeviceError['kind'] | null,
): DeviceError['kind'] {
  if (className === 'GPUOutOfMemoryError' || memoryText.test(message) || overLimit.test(message))
    return 'outOfMemory';
  if (consequence.test(message) && before !== null) return before;
  return className === 'GPUValidationError' ? 'validation' : 'internal';
}

/** Listens on a device from its first moment; errors before the first listener are kept for it. */
export class DeviceErrors {
  private readonly listeners = new Set<DeviceErrorListener>();
  private readonly missed: DeviceError[] = [];
  private last: DeviceError['kind'] | null = null;
  private disposed = false;

  constructor(device: GpuDevice) {
    device.addEventListener('uncapturederror', (event) => {
      // Dawn otherwise prints each error on stdout, where a script's own output goes.
      event.preventDefault();
      const { error } = event;
      this.tell(classifyDeviceError(error.constructor.name, error.message, this.last), error.message);
    });
    void device.lost.then(({ message }) => {
      if (!this.disposed)
        this.tell(memoryText.test(message) ? 'outOfMemory' : 'lost', `The GPU device was lost: ${message}`);
    });
  }

  /** Calls the listener for each error from the start on; returns the function that ends that. */
  listen(listener: DeviceErrorListener): () => void {
    this.listeners.add(listener);
    for (const error of this.missed.splice(0)) listener(error);
    return () => this.listeners.delete(listener);
  }

  /** From now on the loss of the device is our own doing. */
  end(): void {
    this.disposed = true;
  }

  private tell(kind: DeviceError['kind'], message: string): void {
    this.last = kind;
    const error = { kind, message };
    if (this.listeners.size === 0) this.missed.push(error);
    for (const listener of this.listeners) listener(error);
  }
}
