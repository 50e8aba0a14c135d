// The optimizer of a plan as Keras and PyTorch spell it, with TensorFlow.js's defaults where theirs differ.
import type { ModelOptimizer } from '../../planning/modelOptimizer';
import { pythonFloat, returnedCall } from './program';

/** `def make_optimizer(): …` for Keras; Adam where the config names none. */
export function kerasOptimizer(optimizer: ModelOptimizer | undefined): string {
  const { name, given } = call(optimizer ?? { name: 'adam' }, kerasNames);
  return `def make_optimizer():\n${returnedCall(`keras.optimizers.${name}`, given)}`;
}

/** `def make_optimizer(parameters): …` for PyTorch; Adam where the config names none. */
export function torchOptimizer(optimizer: ModelOptimizer | undefined): string {
  const { name, given } = call(optimizer ?? { name: 'adam' }, torchNames);
  return `def make_optimizer(parameters):\n${returnedCall(`torch.optim.${name}`, ['parameters', ...given])}`;
}

/** Where an optimizer of Keras or PyTorch is another one than that of TensorFlow.js (4.22); one sentence each. */
export function optimizerNotes(optimizer: ModelOptimizer | undefined, isTorch: boolean): string[] {
  const library = isTorch ? 'PyTorch' : 'Keras';
  if (optimizer?.name === 'adadelta')
    return [
      `TensorFlow.js's Adadelta divides by the mean square of the gradients before the current one; ${library} takes the current one in, as published. Their updates differ.`,
    ];
  if (optimizer?.name === 'adamax' && (optimizer.decay ?? 0) > 0)
    return [
      `TensorFlow.js's Adamax divides its rate by 1 + ${optimizer.decay} · (updates done); ${library}'s has no such decay: add a schedule.`,
    ];
  if (optimizer?.name !== 'rmsprop') return [];
  if (optimizer.centered === true)
    return [
      `TensorFlow.js's centred RMSprop subtracts its epsilon under the root, and gives NaN where a gradient is small; ${library} adds it. Their updates differ.`,
    ];
  const outside = `TensorFlow.js adds RMSprop's epsilon under the root, PyTorch outside: weights with small gradients change a little differently.`;
  return isTorch ? [outside] : [];
}

interface Names {
  readonly rate: string;
  readonly epsilon: string;
  /** What RMSprop keeps of its running mean. */
  readonly decay: string;
  betas(first: string, second: string): string[];
}
const kerasNames: Names = {
  rate: 'learning_rate',
  epsilon: 'epsilon',
  decay: 'rho',
  betas: (first, second) => [`beta_1=${first}`, `beta_2=${second}`],
};
const torchNames: Names = {
  rate: 'lr',
  epsilon: 'eps',
  decay: 'alpha',
  betas: (first, second) => [`betas=(${first}, ${second})`],
};

function call(optimizer: ModelOptimizer, names: Names): { name: string; given: string[] } {
  const rate = (usual: number) => `${names.rate}=${pythonFloat(optimizer.learningRate ?? usual)}`;
  const epsilon = (value = 1e-7) => `${names.epsilon}=${pythonFloat(value)}`;
  switch (optimizer.name) {
    case 'sgd':
      return { name: 'SGD', given: [rate(0.01)] };
    case 'momentum': {
      const momentum = `momentum=${pythonFloat(optimizer.momentum ?? 0.9)}`;
      return { name: 'SGD', given: [rate(0.01), momentum, ...flag('nesterov', optimizer.useNesterov)] };
    }
    case 'adagrad': {
      const start = `initial_accumulator_value=${pythonFloat(optimizer.initialAccumulatorValue ?? 0.1)}`;
      return { name: 'Adagrad', given: [rate(0.01), start, epsilon()] };
    }
    case 'adadelta': {
      const rho = `rho=${pythonFloat(optimizer.rho ?? 0.95)}`;
      return { name: 'Adadelta', given: [rate(0.001), rho, epsilon(optimizer.epsilon)] };
    }
    case 'adam':
    case 'adamax': {
      const { beta1 = 0.9, beta2 = 0.999 } = optimizer;
      const betas = names.betas(pythonFloat(beta1), pythonFloat(beta2));
      const name = optimizer.name === 'adam' ? 'Adam' : 'Adamax';
      return { name, given: [rate(0.001), ...betas, epsilon(optimizer.epsilon)] };
    }
    case 'rmsprop': {
      const decay = `${names.decay}=${pythonFloat(optimizer.decay ?? 0.9)}`;
      const momentum = `momentum=${pythonFloat(optimizer.momentum ?? 0)}`;
      const given = [rate(0.001), decay, momentum, epsilon(optimizer.epsilon)];
      return { name: 'RMSprop', given: [...given, ...flag('centered', optimizer.centered)] };
    }
  }
}

function flag(name: string, value: boolean | undefined): string[] {
  return value === true ? [`${name}=True`] : [];
}
