// What a backend is given to start with, and what it gives back once it runs.
import type { BackendName } from '../../protocol/backend';
import type { PlanWarning } from '../../protocol/warning';
import type { PackageSource } from './packages';
import type { Core, LoadedTensorflow } from './tensorflow';
import type { Tf } from '../contracts';

/** What starting a backend may depend on. */
export interface StartContext {
  /** Where packages are looked for, in order: the user's own first. */
  readonly sources: readonly PackageSource[];
  /** True where the user asked for this backend by name: what is normally not good enough is then taken. */
  readonly byName: boolean;
  readonly platform: NodeJS.Platform;
  /** The script's TensorFlow.js, loaded at the first call. */
  tensorflow(): LoadedTensorflow;
}

/** What went wrong on a device whose errors are not exceptions. */
export interface DeviceError {
  /** `outOfMemory` also stands for a buffer above the device's limits: the size does not fit. */
  readonly kind: 'outOfMemory' | 'validation' | 'internal' | 'lost';
  readonly message: string;
}
export type DeviceErrorListener = (error: DeviceError) => void;

/** A backend that runs. */
export interface StartedBackend {
  readonly tf: Tf;
  readonly core: Core;
  /** Name under which tfjs knows it: 'tensorflow', 'webgpu', 'wasm', 'cpu'. */
  readonly tfjsName: string;
  /** Version of the package it comes from. */
  readonly version: string;
  /** What it is, for a sentence that begins with the backend's name. */
  readonly description: string;
  readonly usesGpu: boolean;
  readonly deviceName: string | null;
  readonly warnings: readonly PlanWarning[];
  /** Largest size of one tensor in bytes; null where only memory limits it. */
  readonly maxTensorBytes: number | null;
  /** Errors that the device does not throw; returns the function that ends listening. */
  onDeviceError(listener: DeviceErrorListener): () => void;
  /** Waits until the device has done all that was asked of it and has told its errors. */
  settle(): Promise<void>;
  /** Gives the device back, so that the process can end by itself. */
  dispose(): void;
}

/** This backend is not used; the message is the reason, as a person reads it. */
export class PassedOver extends Error {
  override readonly name = 'PassedOver';
}

/** No backend runs at all (exit code 4); the message holds a line for each. */
export class NoBackendError extends Error {
  override readonly name = 'NoBackendError';
  constructor(readonly passedOver: readonly { readonly name: BackendName; readonly reason: string }[]) {
    const lines = passedOver.map(({ name, reason }) => `  ${name}: ${reason}`);
    super(`No TensorFlow.js backend can be used.\n${lines.join('\n')}`);
  }
}

/** The members of StartedBackend for backends whose errors are exceptions. */
export const synchronousDevice = {
  maxTensorBytes: null,
  onDeviceError: () => () => undefined,
  settle: () => Promise.resolve(),
  dispose: () => undefined,
} as const;
