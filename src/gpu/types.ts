// What is told of GPUs and of the machine's memory, and the messages between the GPU reader (child) and its host.
import * as z from 'zod';

/** A size in bytes; null where it cannot be told. Zero is a value like any other. */
const bytes = z.number().nonnegative().nullable();
/** ISO 8601 in UTC. */
const time = z.iso.datetime();

/** One part of a GPU that is cut up by NVIDIA's Multi-Instance GPU. */
export const migInstance = z.strictObject({
  /** Profile name, such as `1g.10gb`. */
  name: z.string(),
  uuid: z.string(),
  memoryTotalBytes: bytes,
  memoryUsedBytes: bytes,
  memoryFreeBytes: bytes,
});
export type MigInstance = z.infer<typeof migInstance>;

/** One GPU at one moment. Used, free and reserved are told apart: used + free need not be the total. */
export const gpuReading = z.strictObject({
  name: z.string(),
  vendor: z.enum(['nvidia', 'amd', 'intel', 'apple', 'other']),
  /** PCI address as Linux writes it, lower case: `0000:3b:00.0`; null where the GPU has none (Apple silicon). */
  busId: z.string().nullable(),
  uuid: z.string().nullable(),
  /** NVIDIA's own number, in PCI order; null for others. */
  index: z.int().nonnegative().nullable(),
  memoryTotalBytes: bytes,
  memoryUsedBytes: bytes,
  memoryFreeBytes: bytes,
  /** Kept back by the driver: neither used nor free. */
  memoryReservedBytes: bytes,
  utilisationPercent: z.number().min(0).max(100).nullable(),
  /** Version of the driver. */
  driver: z.string().nullable(),
  /** null: not known, or not a GPU that can be cut up. */
  mig: z.strictObject({ enabled: z.boolean(), instances: z.array(migInstance) }).nullable(),
  /** Where the memory figures come from. */
  source: z.enum(['systeminformation', 'nvidia-smi', 'amdgpu']),
  readAt: time,
});
export type GpuReading = z.infer<typeof gpuReading>;

/** The machine's memory, or what a container allows of it. used = total - available. */
export const systemMemoryReading = z.strictObject({
  totalBytes: z.number().nonnegative(),
  /** What can be taken without swapping and without being killed: caches that give way count as available. */
  availableBytes: z.number().nonnegative(),
  usedBytes: z.number().nonnegative(),
  /** Which of the two leaves less. */
  limitedBy: z.enum(['cgroup', 'machine']),
});
export type SystemMemoryReading = z.infer<typeof systemMemoryReading>;

export const gpuProblemKinds = [
  /** The driver's library and its kernel module are of different versions. */
  'driverMismatch',
  /** nvidia-smi is there, its driver is not running. */
  'driverNotRunning',
  /** Some figures are kept from this user. */
  'noPermission',
  /** A GPU that was there does not answer any more. */
  'gpuLost',
  /** nvidia-smi failed for another reason. */
  'toolFailed',
  /** nvidia-smi's answer could not be understood. */
  'unreadable',
  /** nvidia-smi, or the reader as a whole, did not answer in time. */
  'timeout',
  /** The reader ended by itself. */
  'readerDied',
] as const;

/** Why a reading lacks something, in one or two sentences for a person. */
export const gpuProblem = z.strictObject({ kind: z.enum(gpuProblemKinds), message: z.string() });
export type GpuProblem = z.infer<typeof gpuProblem>;

/** All GPUs at one moment. No GPU and no problem: there is none. */
export const deviceReading = z.strictObject({
  gpus: z.array(gpuReading),
  systemMemory: systemMemoryReading,
  problems: z.array(gpuProblem),
  readAt: time,
});
export type DeviceReading = z.infer<typeof deviceReading>;

/** Where the tools and system files are looked for; the host tells the reader. */
export const toolLocations = z.strictObject({
  /** nvidia-smi: names (looked up on PATH) or absolute paths, in the order in which they are tried. */
  nvidiaSmi: z.array(z.string()),
  /** Folder of the kernel's graphics devices; null where the system has none. */
  drm: z.string().nullable(),
});
export type ToolLocations = z.infer<typeof toolLocations>;

/** Host to reader. */
export const readerRequest = z.strictObject({
  type: z.literal('read'),
  id: z.int().nonnegative(),
  locations: toolLocations,
  /** After this many ms a single call of nvidia-smi is given up. */
  toolTimeoutMs: z.number().positive(),
});
export type ReaderRequest = z.infer<typeof readerRequest>;

/** Reader to host. */
export const readerReply = z.strictObject({
  type: z.literal('reading'),
  id: z.int().nonnegative(),
  reading: deviceReading,
});
export type ReaderReply = z.infer<typeof readerReply>;
