// The accumulation config: the plan as a file that a person may read and edit. Its texts are the editor's hovers.
import * as z from 'zod';
import { backendNames } from './backendName';
import { modelOptimizer } from './modelOptimizer';
import { modelTraining } from './modelTraining';
import { objectives, planDevice, planExactness, planMemory, planParts, planTrial } from './plan';
import { shownValue } from './shownValue';
import { largestTargetBatch } from './userInput';
import { formatCount } from './units';
import { planWarning } from './warning';

/** Version of the format that this code writes; it reads no newer one. */
export const configVersion = 1;

/** What the config of an entry is called: `train.js` has `train.accumulation.json` beside it. */
export function configNameOf(entryName: string): string {
  return `${entryName.replace(/\.[^.]+$/, '')}.accumulation.json`;
}

const batch = (name: string) => {
  const error = ({ input }: { input?: unknown }) =>
    `"${name}" must be a whole number from 1 to ${formatCount(largestTargetBatch)}; it is ${shownValue(input)}.`;
  return z.int({ error }).min(1, { error }).max(largestTargetBatch, { error });
};

/** How a training script is started. */
export const scriptTraining = z
  .strictObject({
    kind: z.literal('script').describe('This config trains a script of your own.'),
    arguments: z
      .array(z.string('Each argument must be a text.'))
      .describe('Arguments of the script, as after its name on the command line.'),
    folder: z
      .string()
      .min(1, 'Name the folder; "." is this config\'s own.')
      .describe("Folder that the script runs in, relative to this config's folder."),
    nodeArguments: z
      .array(z.string('Each argument must be a text.'))
      .optional()
      .describe('Arguments of Node.js itself, such as --max-old-space-size=8192.'),
  })
  .describe('How the script is started.');
export type ScriptTraining = z.infer<typeof scriptTraining>;

/** The rest of the plan, which configs of earlier versions do not keep. */
export const plannedFacts = z
  .strictObject({
    targetBatchSize: batch('targetBatchSize').describe('Examples per update that were planned.'),
    microbatchSize: batch('microbatchSize').describe('Most examples at once that were planned.'),
    examples: z.int().nonnegative().nullable().describe('Rows of training data; null if unknown.'),
    backendReason: z.string().describe('Why this backend was taken.'),
    modelName: z.string().describe('Name of the model.'),
    parameters: z.int().nonnegative().describe('Number of its weights.'),
    optimizer: modelOptimizer
      .nullable()
      .optional()
      .describe("The optimizer that the model was compiled with; null for one of the script's own."),
    parts: planParts.nullable().describe('Where the memory of an update goes; null if unknown.'),
  })
  .describe('What was planned, as it was before anything here was edited.');

/** What the plan found: kept to show, to compare and to notice when it no longer holds. */
export const measuredPlan = z
  .strictObject({
    plannedAt: z.iso.datetime().describe('When it was measured (UTC).'),
    productVersion: z.string().describe('Version of Batch Planner.'),
    nodeVersion: z.string().describe('Version of Node.js.'),
    tfjsVersion: z.string().describe('Version of TensorFlow.js.'),
    backend: z
      .strictObject({ name: z.enum(backendNames), version: z.string() })
      .describe('What the model ran on.'),
    device: planDevice.nullable().describe("The device; null where the computer's own memory was used."),
    budgetBytes: z.int().nonnegative().nullable().describe('Memory that the plan may use; null if unknown.'),
    objective: z.enum(objectives).describe('What was preferred among the sizes that fit.'),
    largestMicrobatch: batch('largestMicrobatch').describe('Largest size that fits.'),
    proof: z
      .enum(['cap', 'outOfMemory', 'budget'])
      .describe(
        'Why no larger size: all that is asked for fits (cap), one more ran out of memory, or one more is over the budget.',
      ),
    memory: planMemory.nullable().describe('How the peak grows with the microbatch; null if unknown.'),
    trials: z.array(planTrial).describe('The sizes that were run.'),
    fingerprint: z
      .string()
      .describe('Digest of the model and its optimizer: the plan holds for an equal one.'),
    exactness: planExactness.nullable().describe("How far the gradient was from the full batch's."),
    warnings: z.array(planWarning).describe("Where the update may differ from the full batch's."),
    planned: plannedFacts.optional(),
  })
  .describe('What the plan found. Written by Batch Planner; not meant to be edited.');
export type MeasuredPlan = z.infer<typeof measuredPlan>;

/** The training of the entry, by its kind. */
export const training = z.discriminatedUnion('kind', [scriptTraining, modelTraining]);

/** The whole file. */
export const accumulationConfig = z
  .strictObject({
    $schema: z.string().optional().describe('Where editors find the description of this file.'),
    version: z.literal(configVersion).describe('Version of this format.'),
    entry: z
      .string()
      .min(1, 'Name the script or model.json.')
      .describe("The training script or model.json, relative to this config's folder."),
    backend: z
      .enum(backendNames)
      .nullable()
      .describe('What the model runs on; null takes the best that works.'),
    targetBatchSize: batch('targetBatchSize').describe(
      'Examples per optimizer update that you want. You may change it: sizes and steps follow.',
    ),
    microbatchSize: batch('microbatchSize').describe(
      'Most examples that go through the model at once. You may make it smaller; a larger one may not fit.',
    ),
    training: training.describe('How the entry is trained.'),
    measured: measuredPlan.optional(),
  })
  .superRefine((config, context) => {
    const { microbatchSize, targetBatchSize, entry, training: how } = config;
    if (targetBatchSize >= 1 && microbatchSize > targetBatchSize) {
      context.addIssue({
        code: 'custom',
        path: ['microbatchSize'],
        message:
          `"microbatchSize" (${formatCount(microbatchSize)}) is larger than ` +
          `"targetBatchSize" (${formatCount(targetBatchSize)}): make it at most that.`,
      });
    }
    const isModel = entry.toLowerCase().endsWith('.json');
    if (isModel !== (how.kind === 'model')) {
      context.addIssue({
        code: 'custom',
        path: ['training', 'kind'],
        message: `"training.kind" must be "${isModel ? 'model' : 'script'}", as the entry is ${JSON.stringify(entry)}.`,
      });
    }
  })
  .describe('A Batch Planner accumulation config.');
export type AccumulationConfig = z.infer<typeof accumulationConfig>;

/** JSON Schema of the file, for completion and hover in editors; `media/accumulation.schema.json` holds it. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(accumulationConfig, { io: 'input', target: 'draft-7' }) };
}
