// Wrong arguments from plain JavaScript: each is refused by one sentence that says what is wanted, and changes nothing.
import { beforeAll, describe, expect, test } from 'vitest';
import { accumulate, deferUpdates, microbatchSizes, type TensorFlow } from '../../../src/accumulate';
import type { Tf } from '../../../src/engine/contracts';
import { openBackend } from '../../support/testBackends';

let tf: Tf;
let core: TensorFlow;
beforeAll(async () => {
  ({ tf, core } = await openBackend('cpu'));
});

// As a loop without types calls them.
const untyped = { accumulate, deferUpdates, microbatchSizes } as unknown as Record<
  'accumulate' | 'deferUpdates' | 'microbatchSizes',
  (...given: unknown[]) => unknown
>;

function rightOptions() {
  const w = tf.variable(tf.scalar(0.5));
  const batch = tf.tensor1d([1, 2, 3, 4]);
  const loss = (part: typeof batch) => tf.mean(tf.square(tf.mul(w, part))).asScalar();
  return {
    w,
    options: { optimizer: tf.train.sgd(0.1), batch, microbatchSizes: [2, 2], loss, variables: [w] },
  };
}

describe('accumulate()', () => {
  test.each<[string, Record<string, unknown>, string]>([
    [
      'no optimizer',
      { optimizer: undefined },
      'The optimizer must be one of TensorFlow.js, such as tf.train.adam(), not undefined.',
    ],
    ['the name of an optimizer', { optimizer: 'adam' }, 'such as tf.train.adam(), not "adam".'],
    [
      'a number of sizes',
      { microbatchSizes: 22 },
      'microbatchSizes must be a list, which microbatchSizes(total, largest) gives, not 22.',
    ],
    ['no sizes', { microbatchSizes: undefined }, 'microbatchSizes must be a list'],
    [
      'a size that is a text',
      { microbatchSizes: ['2', 2] },
      'microbatchSizes[0] must be a whole number of 1',
    ],
    [
      'a negative size',
      { microbatchSizes: [5, -1] },
      'microbatchSizes[1] must be a whole number of 1 or more',
    ],
    [
      'a number as clip',
      { clip: 1 },
      'clip must be { globalNorm: 1 }, { value: 1 } or a function, or left out, not 1.',
    ],
    ['null as clip', { clip: null }, 'or a function, or left out, not null.'],
    ['a clip by another name', { clip: { norm: 1 } }, 'or left out, not an object with norm.'],
    ['two kinds of clip', { clip: { value: 1, globalNorm: 1 } }, 'not an object with value, globalNorm.'],
    ['a clip at a text', { clip: { value: '1' } }, 'clip.value must be a number above 0, not "1".'],
    ['no list of variables', { variables: null }, 'The variables must be a list of tf.Variable (or leave'],
    ['variables that are none', { variables: [1] }, 'Each of the variables must be a tf.Variable (or leave'],
    ['a hole among variables', { variables: [undefined] }, 'Each of the variables must be a tf.Variable'],
    [
      'no batch',
      { batch: undefined },
      'batch must be a tensor, or tensors in a list or an object, not undefined.',
    ],
    ['rows that are no tensor', { batch: { xs: [1, 2, 3] } }, 'batch.xs must be a tensor, not a list of 3.'],
    ['no loss', { loss: undefined }, 'loss must be a function that returns the mean loss of a part'],
    [
      'a count that is a number',
      { count: 4 },
      'count must be a function that returns a number, or left out, not 4.',
    ],
    [
      'a count that is not read',
      { count: () => tf.scalar(2) },
      'What count returns must be a number of 0 or more, not a tensor.',
    ],
    [
      'a model without layers',
      { model: () => 1 },
      'model must be the Layers model that the loss calls, or left out',
    ],
  ])('refuses %s', (_, wrong, message) => {
    const { w, options } = rightOptions();
    expect(() => untyped.accumulate(core, { ...options, ...wrong })).toThrow(message);
    expect(w.dataSync()[0]).toBe(0.5);
  });

  test('says that TensorFlow.js comes first', () => {
    const { options } = rightOptions();
    expect(() => untyped.accumulate(options)).toThrow(
      new TypeError(
        'The first argument of accumulate(tf, options) must be the TensorFlow.js that your loop computes with, not an object with optimizer, batch, microbatchSizes.',
      ),
    );
    expect(() => untyped.accumulate(core)).toThrow(
      'The options of accumulate() must be an object, not undefined.',
    );
  });

  test('says how the weights of a Layers model become variables, and takes these', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const batch = tf.tensor2d([[1], [2], [3], [4]]);
    const loss = (part: typeof batch) => tf.mean(tf.square(model.apply(part) as typeof part)).asScalar();
    const options = { ...rightOptions().options, batch, loss };
    expect(() => untyped.accumulate(core, { ...options, variables: model.trainableWeights })).toThrow(
      'give model.trainableWeights.map((weight) => weight.read()), or leave them out',
    );
    const [kernel] = model.getWeights().map((weight) => weight.dataSync()[0]);
    untyped.accumulate(core, {
      ...options,
      variables: model.trainableWeights.map((weight) => weight.read()),
    });
    expect(model.getWeights()[0]?.dataSync()[0]).not.toBe(kernel);
  });
});

describe('deferUpdates()', () => {
  const either = 'The options of deferUpdates() must be either { steps } or { examples, count }, not';
  test.each<[string, unknown, string]>([
    ['no options', undefined, `${either} undefined.`],
    ['a number of steps alone', 8, `${either} 8.`],
    ['empty options', {}, `${either} an object.`],
    [
      'both ways',
      { steps: 2, examples: 9, count: () => 3 },
      `${either} an object with steps, examples, count.`,
    ],
    [
      'examples without their count',
      { examples: 10 },
      'count must be a function that returns the examples of its call, beside { examples }, not undefined.',
    ],
    ['a count that is a number', { steps: 2, count: 4 }, 'count must be a function that returns a number'],
    ['half a step', { steps: 1.5 }, 'steps must be a whole number of 1 or more, not 1.5.'],
    ['steps as a text', { steps: '8' }, 'steps must be a whole number of 1 or more, not "8".'],
    [
      'fewer than no examples',
      { examples: -1, count: () => 1 },
      'examples must be a number above 0, not -1.',
    ],
    [
      'examples that are no number',
      { examples: NaN, count: () => 1 },
      'examples must be a number above 0, not NaN.',
    ],
    ['null as clip', { steps: 2, clip: null }, 'or a function, or left out, not null.'],
  ])('refuses %s, and leaves the optimizer alone', (_, wrong, message) => {
    const optimizer = tf.train.sgd(0.1);
    expect(() => untyped.deferUpdates(core, optimizer, wrong)).toThrow(message);
    expect(Object.hasOwn(optimizer, 'minimize')).toBe(false);
  });

  test('says what is missing in front of the options', () => {
    expect(() => untyped.deferUpdates(tf.train.sgd(0.1), { steps: 2 })).toThrow(
      'The first argument of deferUpdates(tf, optimizer, options) must be the TensorFlow.js',
    );
    expect(() => untyped.deferUpdates(core, { steps: 2 })).toThrow(
      'The optimizer must be one of TensorFlow.js, such as tf.train.adam(), not an object with steps.',
    );
  });

  test('says how the weights of a Layers model become variables of minimize, and takes null for all', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const optimizer = tf.train.sgd(0.1);
    deferUpdates(core, optimizer, { steps: 1 });
    const loss = () => tf.mean(tf.square(model.apply(tf.ones([2, 1])) as ReturnType<Tf['ones']>)).asScalar();
    const kernel = () => model.getWeights()[0]?.dataSync()[0];
    const before = kernel();
    expect(() => optimizer.minimize(loss, false, model.trainableWeights as never)).toThrow('weight.read()');
    expect(kernel()).toBe(before);
    optimizer.minimize(loss, false, null as never);
    expect(kernel()).not.toBe(before);
  });
});

test.each([
  [-1, 4, 'total must be a whole number of 0 or more, not -1.'],
  [null, 4, 'total must be a whole number of 0 or more, not null.'],
  [8, 0, 'largest must be a whole number of 1 or more, not 0.'],
  [8, undefined, 'largest must be a whole number of 1 or more, not undefined.'],
])('microbatchSizes() refuses to cut %j by %j', (total, largest, message) => {
  expect(() => untyped.microbatchSizes(total, largest)).toThrow(message);
});

test('a wrong kind is a TypeError, a wrong number a RangeError', () => {
  expect(() => untyped.microbatchSizes('8', 4)).toThrow(TypeError);
  expect(() => untyped.microbatchSizes(8, -4)).toThrow(RangeError);
});
