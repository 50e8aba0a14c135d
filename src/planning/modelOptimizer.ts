// The optimizers, losses and metrics that a model.json entry's training may name: those of TensorFlow.js.
import * as z from 'zod';

const learningRate = z
  .number()
  .positive('The learning rate must be above 0.')
  .optional()
  .describe('Step size.');
const fraction = z.number().min(0).lt(1, 'This must be at least 0 and below 1.');
const epsilon = z
  .number()
  .positive()
  .optional()
  .describe('A small number that keeps divisions from failing.');

/** An optimizer by name, with the parameters of `tf.train.<name>`; what is left out has TensorFlow.js's default. */
export const modelOptimizer = z
  .discriminatedUnion('name', [
    z.strictObject({ name: z.literal('sgd'), learningRate }),
    z.strictObject({
      name: z.literal('momentum'),
      learningRate,
      momentum: fraction.optional().describe('Share of the last step that is kept (0.9).'),
      useNesterov: z
        .boolean()
        .optional()
        .describe('Look ahead by the momentum before the gradient is applied.'),
    }),
    z.strictObject({
      name: z.literal('adagrad'),
      learningRate,
      initialAccumulatorValue: z.number().positive().optional(),
    }),
    z.strictObject({ name: z.literal('adadelta'), learningRate, rho: fraction.optional(), epsilon }),
    z.strictObject({
      name: z.literal('adam'),
      learningRate,
      beta1: fraction.optional(),
      beta2: fraction.optional(),
      epsilon,
    }),
    z.strictObject({
      name: z.literal('adamax'),
      learningRate,
      beta1: fraction.optional(),
      beta2: fraction.optional(),
      epsilon,
      decay: z.number().min(0).optional(),
    }),
    z.strictObject({
      name: z.literal('rmsprop'),
      learningRate,
      decay: fraction.optional(),
      momentum: fraction.optional(),
      epsilon,
      centered: z.boolean().optional(),
    }),
  ])
  .describe('The optimizer and its parameters.');
export type ModelOptimizer = z.infer<typeof modelOptimizer>;

/** tfjs-layers' losses by the names that `compile` takes. */
export const lossNames = [
  'meanSquaredError',
  'meanAbsoluteError',
  'meanAbsolutePercentageError',
  'meanSquaredLogarithmicError',
  'squaredHinge',
  'hinge',
  'categoricalHinge',
  'logcosh',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'kullbackLeiblerDivergence',
  'poisson',
  'cosineProximity',
] as const;
export type LossName = (typeof lossNames)[number];

/** tfjs-layers' metrics by the names that `compile` takes; `accuracy` is the one that fits the loss. */
export const metricNames = [
  'accuracy',
  'crossentropy',
  'binaryAccuracy',
  'categoricalAccuracy',
  'precision',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'mse',
  'mae',
  'mape',
  'cosine',
] as const;
