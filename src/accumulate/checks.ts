// What accumulate() and deferUpdates() are given, checked before anything runs: a loop in plain JavaScript has no types that hold it.
import type { TensorFlow } from './types';

/** @throws TypeError or RangeError for an argument of accumulate() that it cannot work with, but for sizes, counts and variables. */
export function checkAccumulate(tf: unknown, options: unknown): void {
  checkTensorFlow(tf, 'accumulate(tf, options)');
  if (!isObject(options)) refuse('The options of accumulate()', 'an object', options);
  checkOptimizer(options.optimizer);
  checkBatch(tf, options.batch);
  if (typeof options.loss !== 'function')
    refuse('loss', 'a function that returns the mean loss of a part of the batch', options.loss);
  checkCount(options.count);
  checkClip(options.clip);
  const { model } = options;
  if (model !== undefined && !(isObject(model) && Array.isArray(model.layers)))
    refuse('model', 'the Layers model that the loss calls, or left out', model);
}

/** @throws TypeError or RangeError for an argument of deferUpdates() that it cannot work with. */
export function checkDeferUpdates(tf: unknown, optimizer: unknown, options: unknown): void {
  checkTensorFlow(tf, 'deferUpdates(tf, optimizer, options)');
  checkOptimizer(optimizer);
  if (!isObject(options) || 'steps' in options === 'examples' in options)
    refuse('The options of deferUpdates()', 'either { steps } or { examples, count }', options);
  if ('steps' in options) {
    checkWhole('steps', options.steps);
    checkCount(options.count);
  } else {
    checkPositive('examples', options.examples);
    if (typeof options.count !== 'function')
      refuse('count', 'a function that returns the examples of its call, beside { examples }', options.count);
  }
  checkClip(options.clip);
}

/** @throws TypeError unless it is a list of `tf.Variable`. */
export function checkVariables(tf: TensorFlow, variables: unknown): void {
  const otherwise = 'or leave them out to change all trainable ones';
  if (!Array.isArray(variables)) refuse('The variables', `a list of tf.Variable (${otherwise})`, variables);
  const wrong: unknown = variables.find((variable) => !(variable instanceof tf.Variable));
  if (wrong === undefined && !variables.includes(undefined)) return;
  if (isObject(wrong) && typeof wrong.read === 'function')
    throw new TypeError(
      `The variables are weights of a Layers model: give model.trainableWeights.map((weight) => weight.read()), ${otherwise}.`,
    );
  refuse('Each of the variables', `a tf.Variable (${otherwise})`, wrong);
}

/** @throws TypeError unless it is a list; RangeError for one that is no whole number ≥ 1. */
export function checkSizes(sizes: unknown): void {
  if (!Array.isArray(sizes))
    refuse('microbatchSizes', 'a list, which microbatchSizes(total, largest) gives', sizes);
  sizes.forEach((size, index) => checkWhole(`microbatchSizes[${index}]`, size));
}

/** @throws TypeError or RangeError unless it is a whole number of at least `least`. */
export function checkWhole(name: string, value: unknown, least = 1): void {
  checkNumber(
    name,
    `a whole number of ${least} or more`,
    value,
    (number) => Number.isSafeInteger(number) && number >= least,
  );
}

/** What a function `count` returned. @throws TypeError or RangeError unless it is a number ≥ 0. */
export function checkCounted(value: unknown): void {
  checkNumber(
    'What count returns',
    'a number of 0 or more',
    value,
    (number) => Number.isFinite(number) && number >= 0,
  );
}

function checkPositive(name: string, value: unknown): void {
  checkNumber(name, 'a number above 0', value, (number) => Number.isFinite(number) && number > 0);
}

function checkNumber(
  name: string,
  wanted: string,
  value: unknown,
  isRight: (value: number) => boolean,
): void {
  if (typeof value !== 'number') refuse(name, wanted, value);
  if (!isRight(value)) throw new RangeError(sentence(name, wanted, value));
}

function checkTensorFlow(tf: unknown, call: string): asserts tf is TensorFlow {
  if (!hasMethods(tf, ['tidy', 'engine', 'Tensor', 'Variable']))
    refuse(`The first argument of ${call}`, 'the TensorFlow.js that your loop computes with', tf);
}

function checkOptimizer(optimizer: unknown): void {
  if (!hasMethods(optimizer, ['minimize', 'computeGradients', 'applyGradients']))
    refuse('The optimizer', 'one of TensorFlow.js, such as tf.train.adam()', optimizer);
}

function checkBatch(tf: TensorFlow, batch: unknown): void {
  if (!isObject(batch)) refuse('batch', 'a tensor, or tensors in a list or an object', batch);
  if (batch instanceof tf.Tensor) return;
  for (const [name, entry] of Object.entries(batch)) {
    if (entry !== null && entry !== undefined && !(entry instanceof tf.Tensor))
      refuse(`batch.${name}`, 'a tensor', entry);
  }
}

function checkCount(count: unknown): void {
  if (count !== undefined && typeof count !== 'function')
    refuse('count', 'a function that returns a number, or left out', count);
}

function checkClip(clip: unknown): void {
  if (clip === undefined || typeof clip === 'function') return;
  const [name, other] = isObject(clip) ? ['globalNorm', 'value'].filter((kind) => kind in clip) : [];
  if (!isObject(clip) || name === undefined || other !== undefined)
    refuse('clip', '{ globalNorm: 1 }, { value: 1 } or a function, or left out', clip);
  checkPositive(`clip.${name}`, clip[name]);
}

function refuse(name: string, wanted: string, value: unknown): never {
  throw new TypeError(sentence(name, wanted, value));
}

function sentence(name: string, wanted: string, value: unknown): string {
  return `${name} must be ${wanted}, not ${given(value)}.`;
}

/** A value in words that stay short, however large a model or a tensor it is. */
function given(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? 'a text' : JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (!isObject(value)) return String(value);
  if ('dataId' in value) return 'a tensor';
  const names = Object.keys(value).slice(0, 3);
  return names.length === 0 ? 'an object' : `an object with ${names.join(', ')}`;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === 'function');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
