// What the supervisor asks of an engine child: one JSON file, named by the environment variable below.
import * as z from 'zod';
import { modelTraining } from '../planning/modelTraining';
import { backendNames } from './backend';

/** Environment variable that holds the absolute path of the job file; without it the preloaded hook does nothing. */
export const jobVariable = 'BATCH_PLANNER_JOB';

const shared = {
  version: z.literal(1),
  /** Absolute path; the child appends one JSON report a line, synchronously, so that none is lost when it dies. */
  reportFile: z.string(),
  /** Process that must be alive for this one to go on. */
  parentPid: z.int().positive(),
  /** Absolute path of the script, or of the model.json. */
  entry: z.string(),
  /** A backend asked for by name; null: the first that works, in order. */
  backend: z.enum(backendNames).nullable(),
  /** Backends not to be tried, each with the reason to report (found out in an earlier child). */
  passOver: z.array(z.strictObject({ name: z.enum(backendNames), reason: z.string() })),
  /** Examples per update; null: what the script itself asks for. */
  targetBatchSize: z.int().positive().nullable(),
  /** Set where the entry is a model.json: its training, and the absolute folder that the training's paths are relative to. */
  model: z.strictObject({ training: modelTraining, folder: z.string() }).optional(),
};

/** Run the script up to its first training call and measure one update there at each size, in turn; then leave. */
export const measureJob = z.strictObject({
  ...shared,
  mode: z.literal('measure'),
  /** Microbatch sizes to try in this process, in order; empty: only inspect. A size above the cap is cut to it. */
  trials: z.array(z.int().positive()),
  /** Whether the self-check of the equality with the full batch is run. */
  selfCheck: z.boolean(),
});

/** Run the script with accumulation. */
export const trainJob = z.strictObject({
  ...shared,
  mode: z.literal('train'),
  /** Largest microbatch, as planned. */
  microbatchSize: z.int().positive(),
  /** The one to begin with: smaller than planned after a death for want of memory. */
  firstMicrobatchSize: z.int().positive(),
  /** Whether a microbatch that was reduced may grow back; not after a death, which costs more than a failed attempt. */
  mayGrow: z.boolean(),
  /** What the process before this one died of; null in a process that a person started. */
  recovery: z
    .strictObject({
      kind: z.enum(['outOfMemory', 'crash']),
      /** One sentence for a person. */
      message: z.string(),
      /** The microbatch that was in use. */
      microbatch: z.int().positive(),
    })
    .nullable(),
  runFolder: z.string(),
  /** The file through which pause and stop are asked for; looked at after each update. */
  controlFile: z.string(),
  /** Seconds between checkpoints; they are put off where they would cost more than 2 % of the time. */
  checkpointSeconds: z.number().positive(),
  /** Updates between checkpoints, whatever they cost; null: by time alone. */
  checkpointUpdates: z.int().positive().nullable(),
  /** Folder that holds the checkpoints, of which the newest sound one is gone on from; null: from the beginning. */
  resumeFrom: z.string().nullable(),
  /** Seeds Math.random, so that the run can be repeated. */
  seed: z.uint32(),
  /** 1 for the first training process of a run. */
  attempt: z.int().positive(),
  /** Fingerprint of the model that was planned; null where the config has none. */
  fingerprint: z.string().nullable(),
});

export const engineJob = z.discriminatedUnion('mode', [measureJob, trainJob]);
export type MeasureJob = z.infer<typeof measureJob>;
export type TrainJob = z.infer<typeof trainJob>;
export type EngineJob = z.infer<typeof engineJob>;

/** What may stand in the control file. `stop` saves first; `end` is the supervisor's to do, at once and without saving. */
export const controlRequest = z.strictObject({ request: z.enum(['run', 'pause', 'stop', 'end']) });
export type ControlRequest = z.infer<typeof controlRequest>;
