// The "training" object of an accumulation config whose entry is a model.json: what to train on, how, and where to.
import * as z from 'zod';
import { modelData } from './modelData';
import { lossNames, metricNames, modelOptimizer } from './modelOptimizer';

/**
 * Strict schema of the training of a model.json entry. All paths in it are relative to the config's folder.
 * `data` may be left out for planning (made examples are measured then), not for training.
 * What a model brings itself (`trainingConfig`) holds wherever `loss`, `optimizer` or `metrics` is left out.
 */
export const modelTraining = z
  .strictObject({
    kind: z.literal('model').describe('This config trains a model.json.'),
    data: modelData
      .optional()
      .describe('The examples to train on. Without it, planning measures made examples.'),
    epochs: z
      .int('The number of epochs is a whole number.')
      .min(1, 'Train for at least one epoch.')
      .max(1_000_000)
      .default(10)
      .describe('How often the training goes through all examples.'),
    validationSplit: z
      .number()
      .min(0)
      .lt(1, 'The validation split is at least 0 and below 1: 0.1 keeps a tenth of the examples.')
      .default(0)
      .describe(
        'Share of the examples, drawn with the seed, that is kept for validation and never trained on.',
      ),
    shuffle: z.boolean().default(true).describe('Go through the examples in a new order in each epoch.'),
    seed: z
      .int('The seed is a whole number.')
      .min(0)
      .max(0xffffffff)
      .default(1)
      .describe(
        'Decides the validation split, the order of examples and, for a model without weights, the first weights.',
      ),
    loss: z
      .union([z.enum(lossNames), z.array(z.enum(lossNames)).min(1)])
      .optional()
      .describe(
        "The loss, or one for each output. Left out: the model's own, else one that fits its last layer.",
      ),
    optimizer: modelOptimizer
      .optional()
      .describe("The optimizer. Left out: the model's own with its state, else adam."),
    metrics: z
      .array(z.enum(metricNames))
      .optional()
      .describe(
        "Metrics to report. Left out: the model's own, else accuracy where the loss is one of classes.",
      ),
    classWeight: z
      .record(
        z.string().regex(/^\d+$/, 'A class weight is named by the number of its class, such as "0".'),
        z.number().min(0),
      )
      .optional()
      .describe(
        'Weight of each class in the loss, by class number: {"0": 1, "1": 5}. For models with one output.',
      ),
    earlyStopping: z
      .strictObject({
        monitor: z
          .string()
          .min(1)
          .optional()
          .describe('Which figure to watch. Left out: val_loss, or loss without validation.'),
        patience: z.int().min(0).default(5).describe('Epochs without improvement after which training ends.'),
        minDelta: z.number().min(0).default(0).describe('Smallest change that counts as an improvement.'),
      })
      .optional()
      .describe('End the training when it no longer improves.'),
    shapes: z
      .record(z.string().min(1), z.array(z.int().positive('A dimension is a whole number above 0.')))
      .optional()
      .describe(
        'Shapes, without the batch, of inputs with unknown dimensions, by input name or "*" for all: {"input_1": [224, 224, 3]}. Not needed where the data says it.',
      ),
    output: z
      .string()
      .min(1)
      .default('trained')
      .describe(
        "Folder for the trained model (model.json and weights.bin), relative to this config's folder.",
      ),
    saveOptimizer: z
      .boolean()
      .default(false)
      .describe("Save the optimizer's state with the model, so that a later training can go on from it."),
  })
  .superRefine((training, context) => {
    if (training.validationSplit > 0 && training.data?.validation !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['validationSplit'],
        message:
          'Validation comes either from files ("data.validation") or from a split: leave one of the two out.',
      });
    }
    if (training.data?.format === 'csv' && training.data.inputs.length > 1) {
      const index = training.data.inputs.findIndex((input) => input.columns === undefined);
      if (index >= 0) {
        context.addIssue({
          code: 'custom',
          path: ['data', 'inputs', index, 'columns'],
          message: 'With more than one input, each needs its "columns".',
        });
      }
    }
  })
  .describe('How a model.json entry is trained.');
export type ModelTraining = z.infer<typeof modelTraining>;
/** As a person writes it: defaults may be left out. */
export type ModelTrainingText = z.input<typeof modelTraining>;
