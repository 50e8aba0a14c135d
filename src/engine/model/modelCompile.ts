// Prepares a loaded model for training: its own loss, optimizer and metrics, those of the config, or ones that fit its last layer.
import type { ModelOptimizer } from '../../planning/modelOptimizer';
import type { ModelTraining } from '../../planning/modelTraining';
import type { LayersModel, Tf } from '../contracts';
import { DataError } from './data/dataError';

type Optimizer = LayersModel['optimizer'];
type CompileArguments = Parameters<LayersModel['compile']>[0];

export interface Compiled {
  /** Name of the loss of each output; null where it is a function. */
  readonly losses: readonly (string | null)[];
  /** What was chosen without being asked for, in sentences. */
  readonly notes: readonly string[];
}

/** Compiles the model. Throws DataError where the config's losses do not match its outputs. */
export function compileModel(tf: Tf, model: LayersModel, training: ModelTraining): Compiled {
  const notes: string[] = [];
  // Typed as always there, but a model that was saved without its training config has none.
  const ownOptimizer = model.optimizer as Optimizer | undefined | null;
  const isCompiled = ownOptimizer !== undefined && ownOptimizer !== null;
  const { loss: askedLoss, optimizer: askedOptimizer, metrics: askedMetrics } = training;
  if (Array.isArray(askedLoss) && askedLoss.length !== model.outputs.length) {
    throw new DataError(
      `"training.loss" names ${askedLoss.length} losses, but the model has ${model.outputs.length} output${model.outputs.length === 1 ? '' : 's'}: name one for each.`,
    );
  }
  if (isCompiled && askedLoss === undefined && askedOptimizer === undefined && askedMetrics === undefined) {
    return { losses: lossNamesOf(model, model.loss), notes };
  }

  let loss: CompileArguments['loss'];
  if (askedLoss !== undefined) loss = askedLoss;
  else if (isCompiled) loss = model.loss;
  else {
    const fitting = model.outputs.map((output) => fittingLoss(output.sourceLayer));
    loss = fitting;
    notes.push(
      `The model was saved without a loss: it trains with ${fitting.join(', ')}, which fits its last layer.`,
    );
  }
  const losses = lossNamesOf(model, loss);
  let metrics: CompileArguments['metrics'];
  if (askedMetrics !== undefined) metrics = askedMetrics;
  else if (isCompiled) metrics = model.metrics;
  else metrics = losses.some((name) => name !== null && /crossentropy$/i.test(name)) ? ['accuracy'] : [];

  let optimizer: Optimizer;
  if (askedOptimizer !== undefined) optimizer = createOptimizer(tf, askedOptimizer);
  else if (isCompiled) optimizer = ownOptimizer;
  else {
    optimizer = createOptimizer(tf, { name: 'adam' });
    notes.push('The model was saved without an optimizer: it trains with adam.');
  }
  model.compile({ optimizer, loss, ...(metrics === undefined ? {} : { metrics }) });
  return { losses, notes };
}

/** The optimizer that a config names; defaults are those of `tf.train` where it has them. */
export function createOptimizer(tf: Tf, asked: ModelOptimizer): Optimizer {
  switch (asked.name) {
    case 'sgd':
      return tf.train.sgd(asked.learningRate ?? 0.01);
    case 'momentum':
      return tf.train.momentum(asked.learningRate ?? 0.01, asked.momentum ?? 0.9, asked.useNesterov);
    case 'adagrad':
      return tf.train.adagrad(asked.learningRate ?? 0.01, asked.initialAccumulatorValue);
    case 'adadelta':
      return tf.train.adadelta(asked.learningRate, asked.rho, asked.epsilon);
    case 'adam':
      return tf.train.adam(asked.learningRate, asked.beta1, asked.beta2, asked.epsilon);
    case 'adamax':
      return tf.train.adamax(asked.learningRate, asked.beta1, asked.beta2, asked.epsilon, asked.decay);
    case 'rmsprop':
      return tf.train.rmsprop(
        asked.learningRate ?? 0.001,
        asked.decay,
        asked.momentum,
        asked.epsilon,
        asked.centered,
      );
  }
}

/** One name for each output, in the order of the outputs, from any form that `compile` takes. */
function lossNamesOf(model: LayersModel, loss: unknown): (string | null)[] {
  const nameOf = (one: unknown): string | null => (typeof one === 'string' ? one : null);
  if (Array.isArray(loss)) return loss.map(nameOf);
  if (typeof loss === 'object' && loss !== null) {
    const byOutput = loss as Record<string, unknown>;
    return model.outputNames.map((name) => nameOf(byOutput[name]));
  }
  return model.outputs.map(() => nameOf(loss));
}

/** By the activation of an output: softmax gives a distribution over classes, sigmoid a probability of each. */
function fittingLoss(layer: ReturnType<LayersModel['getLayer']>): string {
  const className = layer.getClassName();
  const activation = className === 'Softmax' ? 'softmax' : layer.getConfig().activation;
  if (activation === 'softmax') return 'categoricalCrossentropy';
  return activation === 'sigmoid' ? 'binaryCrossentropy' : 'meanSquaredError';
}
