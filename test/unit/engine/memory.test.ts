// Unique bytes, out-of-memory and where errors arose: against TensorFlow.js itself and real messages.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { gradientLine } from '../../../src/engine/measure/gradientLine';
import { MemoryMeter } from '../../../src/engine/measure/memoryMeter';
import { isOutOfMemory, releaseActiveTape } from '../../../src/engine/measure/outOfMemory';
import { failureLocation } from '../../../src/protocol/failureLocation';

const meter = new MemoryMeter();
beforeAll(async () => {
  await tf.setBackend('cpu');
  meter.attach(tf);
  // Several copies of TensorFlow.js share one engine: attaching twice must not count twice.
  meter.attach(tf);
});

test('a buffer is counted once, however many tensors share it, until the last is gone', () => {
  const before = meter.liveBytes;
  meter.reset();
  const a = tf.ones([1000]);
  const b = tf.reshape(a, [10, 100]);
  const c = tf.clone(b);
  expect(meter.liveBytes - before).toBe(4000);
  tf.dispose([a, b]);
  expect(meter.liveBytes - before).toBe(4000);
  c.dispose();
  expect(meter.liveBytes).toBe(before);
  expect(meter.peakBytes - before).toBe(4000);
  meter.reset();
  expect(meter.peakBytes).toBe(before);
});

test('a step that threw leaves no tensor once the tape is released', () => {
  const before = { tensors: tf.memory().numTensors, live: meter.liveBytes };
  const w = tf.tidy(() => tf.variable(tf.ones([100])));
  expect(() =>
    tf.tidy(() =>
      tf.variableGrads(() => {
        tf.square(tf.mul(w, 2));
        throw new Error('in the middle');
      }),
    ),
  ).toThrow('in the middle');
  releaseActiveTape(tf);
  w.dispose();
  expect(tf.memory().numTensors).toBe(before.tensors);
  expect(meter.liveBytes).toBe(before.live);
});

test('the line of a large microbatch is found where the peaks of small ones lie on another', () => {
  // In kB: crests at 100 + b, 40 + 5b and 12 + 2b, each after a fall. At 1 and 2 the first is the peak, at 64 the second.
  const timeline = (b: number) => ({
    microbatch: b,
    bytes: [90, 100 + b, 40, 40 + 5 * b, 10, 12 + 2 * b, 0].map((kB) => kB * 1000),
  });
  const line = { fixedBytes: 40_000, bytesPerExample: 5_000 };
  expect(gradientLine(timeline(1), timeline(2), 64)).toEqual(line);
  expect(gradientLine(timeline(1), { microbatch: 2, bytes: [1000, 2000] }, 64)).toBeNull();
  expect(gradientLine(timeline(2), timeline(2), 64)).toBeNull();
});

test('a loop over the examples, which makes more tensors at a larger size, has a line, too', () => {
  const timeline = (b: number, argument: number) => {
    const made = Array.from({ length: b }, (_, example) => 40_000 + 5_000 * (example + 1));
    // TensorFlow has the position of each slice in a small tensor, which is freed behind it.
    const loop = made.flatMap((bytes) => [bytes - 4_000, bytes - 4_000 + argument, bytes + argument, bytes]);
    const before = 100_000 + 1_000 * b;
    // Nothing changes where a view is made of what is there.
    return { microbatch: b, bytes: [90_000, before, before, 40_000, ...loop, ...made.toReversed(), 0] };
  };
  const line = { fixedBytes: 40_000, bytesPerExample: 5_000 };
  expect(gradientLine(timeline(1, 0), timeline(2, 0), 64)).toEqual(line);
  expect(gradientLine(timeline(1, 24), timeline(3, 24), 64)).toMatchObject({ bytesPerExample: 5_000 });
  expect(gradientLine(timeline(1, 400), timeline(2, 400), 64)).toBeNull();
});

test.each([
  'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[24,192] and type float',
  'Invalid TF_Status: 10\nMessage: Operation received an exception:Status: 1, message: could not create a primitive',
  'Invalid TF_Status: 5\nMessage: No algorithm worked!',
  'Array buffer allocation failed',
  'Invalid typed array length: 9007199254740991',
  'createBuffer failed, size (4294967296) is too large for the implementation when mappedAtCreation == true',
  'Buffer size (2147483648) exceeds the max buffer size limit (1073741824).',
  'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
])('an out-of-memory is known by its text: %s', (message) => {
  expect(isOutOfMemory(new Error(message))).toBe(true);
  expect(isOutOfMemory(new Error('a callback failed', { cause: new RangeError(message) }))).toBe(true);
});

test.each([
  'Invalid TF_Status: 3\nMessage: Matrix size-incompatible',
  'Operation received an exception:Status: 3, message: could not create a primitive',
  'Invalid typed array length: -1',
  'Maximum call stack size exceeded',
  "Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'",
  "Cannot read properties of undefined (reading 'memory')",
])('a bug is no out-of-memory: %s', (message) => {
  expect(isOutOfMemory(new Error(message))).toBe(false);
});

test.each([
  [
    'TypeError: x\n    at f (node:internal/modules/cjs/loader:1:1)\n    at g (/p/node_modules/a/b.js:2:3)\n    at main (/my project/train.js:12:5)',
    '/my project/train.js',
    12,
  ],
  ['/my project/bad.cjs:2\nconst = 5;\n      ^\n\nSyntaxError: Unexpected token', '/my project/bad.cjs', 2],
  ['file:///my%20project/bad.mjs:7\nconst = 5;', '/my project/bad.mjs', 7],
  ['Error: Transform failed with 1 error:\n/p/bad.ts:2:6: ERROR: Expected identifier', '/p/bad.ts', 2],
  [
    'TypeError: x\n    at fit (C:\\p\\node_modules\\x\\y.js:1:2)\n    at main (C:\\my p\\train.js:3:5)',
    'C:\\my p\\train.js',
    3,
  ],
])("the user's own file and line are found", (text, file, line) => {
  expect(failureLocation(text)).toEqual({ file, line });
});

test('where only Node and packages are named, no place is made up', () => {
  expect(
    failureLocation('Error: x\n    at a (node:internal/x:1:2)\n    at b (/p/node_modules/c.js:3:4)'),
  ).toBeNull();
  expect(failureLocation('Error: http://host/a/b.js:3 failed')).toBeNull();
});
