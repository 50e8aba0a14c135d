// What `plan --stream` prints on stdout, one JSON message a line: for a program that shows planning, as the editor does.
import * as z from 'zod';
import { plan, planDevice, planTrial } from '../planning/plan';
import { backendReport } from './backend';
import { inspection } from './report';
import { planWarning } from './warning';

const bytes = z.number().nonnegative();

export const planBudget = z.strictObject({
  device: planDevice.nullable(),
  /** Null where it is unknown: then it is found out by running out of it. */
  budgetBytes: bytes.nullable(),
  /** True where the backend can hold no more, however much memory there is (WASM). */
  isBackendLimit: z.boolean(),
});
export type PlanBudget = z.infer<typeof planBudget>;

/** A trial that ended, with the words of an out-of-memory. */
export const planStreamTrial = z.strictObject({ ...planTrial.shape, message: z.string().nullable() });
export type PlanStreamTrial = z.infer<typeof planStreamTrial>;

/** What a person can do about a failure that the editor offers as a button. */
export const remedies = [
  /** Make a working TensorFlow: `setup tensorflow`. */
  'setUpTensorflow',
  /** Install the packages of the project (`npm install` of TensorFlow.js). */
  'installTensorflowJs',
  /** Name another Node. */
  'chooseNode',
  /** Edit the config. */
  'openConfig',
] as const;
export type Remedy = (typeof remedies)[number];

export const planFailure = z.strictObject({
  kind: z.enum([
    'script',
    'usage',
    'nothingFits',
    'noBackend',
    'neverTrained',
    'node',
    'interrupted',
    'internal',
  ]),
  /** Sentences for a person, one a line; the first says what is wrong. */
  message: z.string(),
  /** The user's own file and line where the failure has one. */
  file: z.string().nullable(),
  line: z.int().positive().nullable(),
  remedy: z.enum(remedies).nullable(),
});
export type PlanFailure = z.infer<typeof planFailure>;

export const planStreamMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('backend'),
    backend: backendReport,
    tfjsVersion: z.string(),
    nodeVersion: z.string(),
  }),
  z.strictObject({ type: z.literal('backendPassedOver'), name: z.string(), reason: z.string() }),
  z.strictObject({ type: z.literal('inspected'), inspection }),
  z.strictObject({ type: z.literal('budget'), budget: planBudget }),
  z.strictObject({ type: z.literal('trialStarted'), microbatch: z.int().positive() }),
  z.strictObject({ type: z.literal('trialEnded'), trial: planStreamTrial }),
  z.strictObject({ type: z.literal('warning'), warning: planWarning }),
  /** The config is written. The last message of a planning that succeeded. */
  z.strictObject({ type: z.literal('finished'), plan, configPath: z.string(), needsData: z.boolean() }),
  /** The last message of one that did not. */
  z.strictObject({ type: z.literal('failed'), failure: planFailure }),
]);
export type PlanStreamMessage = z.infer<typeof planStreamMessage>;
