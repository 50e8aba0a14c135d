// An optimizer of a config as the call of tf.train that makes it.
import type { ModelOptimizer } from '../planning/modelOptimizer';

/** `tf.train.adam(0.001)`: parameters that are left out have TensorFlow.js's defaults. */
export function tfjsOptimizer(optimizer: ModelOptimizer | undefined): string {
  if (optimizer === undefined) return 'tf.train.adam(0.001)';
  const given = parametersOf(optimizer);
  while (given.length > 0 && given.at(-1) === undefined) given.pop();
  return `tf.train.${optimizer.name}(${given.map(String).join(', ')})`;
}

/** In the order in which tf.train takes them. */
function parametersOf(optimizer: ModelOptimizer): (number | boolean | undefined)[] {
  const { learningRate } = optimizer;
  switch (optimizer.name) {
    case 'sgd':
      return [learningRate ?? 0.01];
    case 'momentum':
      return [learningRate ?? 0.01, optimizer.momentum ?? 0.9, optimizer.useNesterov];
    case 'adagrad':
      return [learningRate ?? 0.01, optimizer.initialAccumulatorValue];
    case 'adadelta':
      return [learningRate, optimizer.rho, optimizer.epsilon];
    case 'adam':
      return [learningRate, optimizer.beta1, optimizer.beta2, optimizer.epsilon];
    case 'adamax':
      return [learningRate, optimizer.beta1, optimizer.beta2, optimizer.epsilon, optimizer.decay];
    case 'rmsprop': {
      const { decay, momentum, epsilon, centered } = optimizer;
      return [learningRate ?? 0.01, decay, momentum, epsilon, centered];
    }
  }
}
