// The run folder's contracts: run.json, and the events of events.ndjson, one a line.
import * as z from 'zod';
import { backendReport } from './backend';
import { planWarning } from './warning';
import { failureReport } from './report';

/** ISO 8601 in UTC. */
const time = z.iso.datetime();
/**
 * Position in the training: calls of fit & co. count from 0, epochs and updates of a call from 0. An `update` event
 * names the update that was done; every other event the one that comes next.
 */
const position = { call: z.int().nonnegative(), epoch: z.int().nonnegative(), update: z.int().nonnegative() };
/** JSON has no NaN: a value that is not finite is null. */
const logs = z.record(z.string(), z.number().nullable());

export const runEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('started'),
    time,
    pid: z.int(),
    attempt: z.int().positive(),
    backend: backendReport,
    tfjsVersion: z.string(),
    nodeVersion: z.string(),
  }),
  z.strictObject({
    type: z.literal('call'),
    time,
    call: z.int().nonnegative(),
    method: z.enum(['fit', 'fitDataset', 'trainOnBatch']),
    modelName: z.string(),
    targetBatchSize: z.int().positive().nullable(),
    microbatchSize: z.int().positive().nullable(),
    examples: z.int().nullable(),
    epochs: z.int().nullable(),
    updatesPerEpoch: z.int().nullable(),
    passThrough: z.string().nullable(),
  }),
  /**
   * One optimizer update; memoryBytes is what is in use on the device (or by tensors) at its peak, data a digest of the
   * batch, by which a resumed run knows that the script still gives the same ones.
   */
  z.strictObject({
    type: z.literal('update'),
    time,
    ...position,
    examples: z.int(),
    microbatches: z.int().positive(),
    ms: z.number(),
    loss: z.number().nullable(),
    metrics: logs,
    memoryBytes: z.number().nullable(),
    data: z.uint32().optional(),
  }),
  z.strictObject({ type: z.literal('epoch'), time, call: z.int(), epoch: z.int(), logs, ms: z.number() }),
  z.strictObject({ type: z.literal('callEnded'), time, call: z.int() }),
  z.strictObject({
    type: z.literal('checkpoint'),
    time,
    ...position,
    path: z.string(),
    ms: z.number(),
    best: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('microbatchReduced'),
    time,
    ...position,
    from: z.int(),
    to: z.int(),
    reason: z.string(),
  }),
  /** After clean updates, up to the planned size. */
  z.strictObject({ type: z.literal('microbatchGrown'), time, ...position, from: z.int(), to: z.int() }),
  z.strictObject({
    type: z.literal('outOfMemory'),
    time,
    ...position,
    microbatch: z.int(),
    message: z.string(),
  }),
  z.strictObject({ type: z.literal('paused'), time, ...position }),
  z.strictObject({ type: z.literal('resumed'), time, ...position }),
  z.strictObject({ type: z.literal('warning'), time, warning: planWarning }),
  z.strictObject({
    type: z.literal('ended'),
    time,
    /** `stopped`: asked for; `interrupted`: the supervisor was gone. Both are saved and can be resumed. */
    how: z.enum(['completed', 'stopped', 'failed', 'interrupted']),
    exitCode: z.int(),
    failure: failureReport.nullable(),
  }),
]);
export type RunEvent = z.infer<typeof runEvent>;

/** One line of events.ndjson; null where it is torn, rubbish, or of a version that this one does not know. */
export function parseRunEvent(line: string): RunEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const checked = runEvent.safeParse(value);
  return checked.success ? checked.data : null;
}

/** `run.json`: what is known of a run without reading its events. Replaced whole, atomically, when `state` changes. */
export const runRecord = z.strictObject({
  version: z.literal(1),
  /** The run folder's name. */
  name: z.string(),
  entry: z.string(),
  configPath: z.string(),
  /** The accumulation config as it was when the run began. */
  config: z.unknown(),
  startedAt: time,
  endedAt: time.nullable(),
  state: z.enum(['starting', 'training', 'paused', 'completed', 'stopped', 'failed']),
  supervisorPid: z.int(),
  microbatchSize: z.int().positive(),
  targetBatchSize: z.int().positive(),
  backend: backendReport.nullable(),
  device: z.strictObject({ name: z.string(), memoryTotalBytes: z.number() }).nullable(),
  nodeVersion: z.string(),
  productVersion: z.string(),
  /** Seeds the script's Math.random. */
  seed: z.uint32(),
  /** How often a training process was started in this run: once more for each resume. */
  attempts: z.int().nonnegative(),
});
export type RunRecord = z.infer<typeof runRecord>;
