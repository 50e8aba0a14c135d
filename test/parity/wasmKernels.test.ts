// The composed WASM kernels give what the cpu backend gives, over random geometries, and leave no memory behind.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { guardWasmMemory, type WasmMemory } from '../../src/engine/wasm/memoryGuard';
import { registerWasmKernels } from '../../src/engine/wasm/register';

let memory: WasmMemory;
beforeAll(async () => {
  await tf.setBackend('cpu');
  await tf.setBackend('wasm');
  registerWasmKernels(tf);
  memory = guardWasmMemory(tf.backend());
});

/** A generator of its own, so that a failure can be repeated (Park and Miller's minimal standard). */
function randomSource(seed: number) {
  let state = seed;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(of: readonly T[]): T => of[whole(0, of.length - 1)] as T;
  return { next, whole, pick };
}
type Random = ReturnType<typeof randomSource>;

interface Values {
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32';
  readonly data: number[];
}
const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const floats = (random: Random, shape: number[]): Values => ({
  shape,
  dtype: 'float32',
  data: Array.from({ length: sizeOf(shape) }, () => random.next() * 2 - 1),
});

function run(
  backend: string,
  kernel: string,
  inputs: Record<string, Values>,
  attrs: tf.NamedAttrMap,
): tf.Tensor {
  tf.setBackend(backend);
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, shape, dtype)]),
  );
  const result = tf.engine().runKernel(kernel, tensors, attrs) as tf.Tensor;
  tf.dispose(tensors);
  return result;
}

/** Largest difference relative to the largest value. */
function expectEqual(
  kernel: string,
  inputs: Record<string, Values>,
  attrs: tf.NamedAttrMap,
  { within = 1e-5, reference }: { within?: number; reference?: Values } = {},
): void {
  const what = JSON.stringify({ kernel, attrs, shapes: Object.values(inputs).map(({ shape }) => shape) });
  tf.setBackend('cpu');
  const expected =
    reference === undefined
      ? run('cpu', kernel, inputs, attrs)
      : tf.tensor(reference.data, reference.shape, reference.dtype);
  const wanted = expected.dataSync();
  const before = memory.liveBytes();
  const found = run('wasm', kernel, inputs, attrs);
  expect(found.shape, what).toEqual(expected.shape);
  expect(found.dtype, what).toBe(expected.dtype);
  const values = found.dataSync();
  let difference = 0;
  let largest = 0;
  wanted.forEach((value, index) => {
    difference = Math.max(difference, Math.abs(value - (values[index] ?? NaN)));
    largest = Math.max(largest, Math.abs(value));
  });
  expect(difference, what).toBeLessThanOrEqual(within * Math.max(largest, 1e-30));
  tf.dispose([expected, found]);
  expect(memory.liveBytes(), `${what}: memory left behind`).toBe(before);
}

type Pair = [number, number];
interface Geometry {
  readonly image: [number, number, number, number];
  readonly filter: [number, number, number, number];
  readonly attrs: { strides: Pair; pad: tf.NamedAttrMap[string]; dilations: Pair; dimRoundingMode?: string };
  readonly outShape: number[];
}

/** A convolution that has at least one output; null where the drawn numbers give none. */
function geometry(random: Random, depthwise: boolean): Geometry | null {
  const image: Geometry['image'] = [
    random.whole(1, 4),
    random.whole(1, 11),
    random.whole(1, 11),
    random.whole(1, 5),
  ];
  const filter: Geometry['filter'] = [random.whole(1, 5), random.whole(1, 5), image[3], random.whole(1, 4)];
  const dilated = depthwise && random.next() < 0.3;
  const strides: Pair = dilated ? [1, 1] : [random.whole(1, 3), random.whole(1, 3)];
  const dilations: Pair = dilated ? [random.whole(1, 3), random.whole(1, 3)] : [1, 1];
  const edge = () => [random.whole(0, 3), random.whole(0, 3)];
  const pad = random.pick(['same', 'valid', 0, 1, 2, [[0, 0], edge(), edge(), [0, 0]]]);
  const rounding = typeof pad === 'string' ? undefined : random.pick(['floor', 'round', 'ceil'] as const);
  const info = tf.backend_util.computeConv2DInfo(
    image,
    filter,
    strides,
    dilations,
    pad as 'same',
    rounding,
    depthwise,
  );
  if (info.outHeight < 1 || info.outWidth < 1) return null;
  const attrs = { strides, pad, dilations, ...(rounding === undefined ? {} : { dimRoundingMode: rounding }) };
  return { image, filter, attrs, outShape: info.outShape };
}

function geometries(seed: number, count: number, depthwise: boolean): [Random, Geometry][] {
  const random = randomSource(seed);
  const found: [Random, Geometry][] = [];
  while (found.length < count) {
    const drawn = geometry(random, depthwise);
    if (drawn !== null) found.push([random, drawn]);
  }
  return found;
}

describe('gradients of a convolution on WASM', () => {
  it('for the filter equal cpu over 250 random geometries', () => {
    for (const [random, { image, filter, attrs, outShape }] of geometries(1, 250, false)) {
      const inputs = { x: floats(random, image), dy: floats(random, outShape) };
      expectEqual('Conv2DBackpropFilter', inputs, { ...attrs, dataFormat: 'NHWC', filterShape: filter });
    }
  });

  it('for the input equal cpu over 250 random geometries', () => {
    for (const [random, { image, filter, attrs, outShape }] of geometries(2, 250, false)) {
      const inputs = { dy: floats(random, outShape), filter: floats(random, filter) };
      expectEqual('Conv2DBackpropInput', inputs, { ...attrs, dataFormat: 'NHWC', inputShape: image });
    }
  });

  it('equal cpu for channels first', () => {
    for (const [random, { image, filter, attrs, outShape }] of geometries(3, 30, false)) {
      const first = ([n, h, w, c]: number[]) => [n, c, h, w] as number[];
      const dy = floats(random, first(outShape));
      const named = { ...attrs, dataFormat: 'NCHW' };
      if (Array.isArray(attrs.pad)) {
        const pad = attrs.pad as unknown as number[][];
        named.pad = [pad[0], pad[3], pad[1], pad[2]] as unknown as string;
      }
      const x = floats(random, first(image));
      expectEqual('Conv2DBackpropFilter', { x, dy }, { ...named, filterShape: filter });
      const weights = floats(random, filter);
      expectEqual('Conv2DBackpropInput', { dy, filter: weights }, { ...named, inputShape: first(image) });
    }
  });

  it('equal cpu for sizes at which the work is cut into pieces', () => {
    const random = randomSource(4);
    const cases: [number[], number[], number][] = [
      [[3, 190, 190, 2], [3, 3, 2, 2], 1],
      [[40, 32, 32, 2], [5, 5, 2, 3], 1],
      [[70, 28, 28, 6], [1, 1, 6, 5], 1],
      [[2, 40, 40, 2], [21, 21, 2, 2], 1],
      [[12, 160, 160, 16], [2, 2, 16, 1], 2],
    ];
    for (const [image, filter, stride] of cases) {
      const attrs = { strides: [stride, stride], pad: 'same', dataFormat: 'NHWC' };
      const outShape = tf.backend_util.computeConv2DInfo(
        image as Geometry['image'],
        filter as Geometry['filter'],
        stride,
        1,
        'same',
      ).outShape;
      const dy = floats(random, outShape);
      expectEqual(
        'Conv2DBackpropFilter',
        { x: floats(random, image), dy },
        { ...attrs, filterShape: filter },
      );
      if (sizeOf(image) < 1e6) {
        expectEqual(
          'Conv2DBackpropInput',
          { dy, filter: floats(random, filter) },
          { ...attrs, inputShape: image },
        );
      }
    }
  });

  it('stay within 1e-5 where every term of a long sum is positive', () => {
    const random = randomSource(5);
    const positive = (shape: number[]): Values => ({
      ...floats(random, shape),
      data: Array.from({ length: sizeOf(shape) }, () => random.next()),
    });
    const inputs = { x: positive([48, 56, 56, 2]), dy: positive([48, 56, 56, 2]) };
    for (const side of [1, 3]) {
      const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: [side, side, 2, 2] };
      expectEqual('Conv2DBackpropFilter', inputs, attrs);
    }
  });
});

/**
 * Both gradients of a depthwise convolution from its definition, y[n,p,q,c·M+m] = Σ x[n, s·p + d·i - before, …, c] ·
 * W[i,j,c,m]: tfjs's cpu backend leaves the dilation out of them.
 */
function depthwiseReference(
  { image, filter, attrs, outShape }: Geometry,
  x: Values,
  dy: Values,
  weights: Values,
) {
  const info = tf.backend_util.computeConv2DInfo(
    image,
    filter,
    attrs.strides,
    attrs.dilations,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor',
    true,
  );
  const [, high, wide, channels] = image;
  const [tall, broad, , multiplier] = filter;
  const filterGradient = { ...weights, data: weights.data.map(() => 0) };
  const inputGradient = { ...x, data: x.data.map(() => 0) };
  const [rows = 0, outHigh = 0, outWide = 0] = outShape;
  const add = (to: Values, at: number, value: number) => (to.data[at] = (to.data[at] ?? 0) + value);
  for (let n = 0; n < rows; n++)
    for (let p = 0; p < outHigh; p++)
      for (let q = 0; q < outWide; q++)
        for (let i = 0; i < tall; i++)
          for (let j = 0; j < broad; j++) {
            const h = p * attrs.strides[0] + i * attrs.dilations[0] - info.padInfo.top;
            const w = q * attrs.strides[1] + j * attrs.dilations[1] - info.padInfo.left;
            if (h < 0 || h >= high || w < 0 || w >= wide) continue;
            for (let c = 0; c < channels; c++)
              for (let m = 0; m < multiplier; m++) {
                const xAt = ((n * high + h) * wide + w) * channels + c;
                const dyAt = ((n * outHigh + p) * outWide + q) * channels * multiplier + c * multiplier + m;
                const filterAt = ((i * broad + j) * channels + c) * multiplier + m;
                add(filterGradient, filterAt, (x.data[xAt] ?? NaN) * (dy.data[dyAt] ?? NaN));
                add(inputGradient, xAt, (weights.data[filterAt] ?? NaN) * (dy.data[dyAt] ?? NaN));
              }
          }
  return { filterGradient, inputGradient };
}

describe('gradients of a depthwise convolution on WASM', () => {
  it('equal their definition, and cpu where there is no dilation, over 300 random geometries', () => {
    for (const [random, drawn] of geometries(6, 300, true)) {
      const { image, filter, attrs, outShape } = drawn;
      const [x, dy, weights] = [floats(random, image), floats(random, outShape), floats(random, filter)];
      const { filterGradient, inputGradient } = depthwiseReference(drawn, x, dy, weights);
      const filterKernel = 'DepthwiseConv2dNativeBackpropFilter';
      const inputKernel = 'DepthwiseConv2dNativeBackpropInput';
      const forFilter = { ...attrs, filterShape: filter };
      const forInput = { ...attrs, inputShape: image };
      expectEqual(filterKernel, { x, dy }, forFilter, { reference: filterGradient });
      expectEqual(inputKernel, { dy, filter: weights }, forInput, { reference: inputGradient });
      if (attrs.dilations.some((dilation) => dilation > 1)) continue;
      expectEqual(filterKernel, { x, dy }, forFilter);
      expectEqual(inputKernel, { dy, filter: weights }, forInput);
    }
  });

  it('equal cpu where the work is cut into pieces', () => {
    const random = randomSource(8);
    const image = [5, 110, 110, 24];
    const filter = [3, 3, 24, 2];
    const dy = floats(random, [5, 55, 55, 48]);
    const attrs = { strides: [2, 2], pad: 'same', dilations: [1, 1], inputShape: image };
    expectEqual('DepthwiseConv2dNativeBackpropInput', { dy, filter: floats(random, filter) }, attrs);
  });
});

describe('gradients that the backend itself gets wrong', () => {
  it('max pooling equals cpu in two and three dimensions, below zero too, with ties and with padding', () => {
    const random = randomSource(12);
    for (let round = 0; round < 150; round++) {
      const solid = random.next() < 0.4;
      const spatial = Array.from({ length: solid ? 3 : 2 }, () => random.whole(2, 7));
      const shape = [random.whole(1, 3), ...spatial, random.whole(1, 4)];
      // In three dimensions cpu counts rows of the window by its height (pool_utils.ts): only right where it is square.
      const side = random.whole(1, 3);
      const filterSize = spatial.map(() => (solid ? side : random.whole(1, 3)));
      const strides = spatial.map(() => random.whole(1, 3));
      const pad = random.pick(['same', 'valid']);
      if (pad === 'valid' && spatial.some((length, axis) => length < (filterSize[axis] ?? 1))) continue;
      const output = spatial.map((length, axis) => {
        const window = pad === 'same' ? 1 : (filterSize[axis] ?? 1);
        return Math.ceil((length - window + 1) / (strides[axis] ?? 1));
      });
      const values = floats(random, shape);
      const x =
        random.next() < 0.5 ? values : { ...values, data: values.data.map((value) => Math.round(value)) };
      const dy = floats(random, [shape[0] ?? 1, ...output, shape[shape.length - 1] ?? 1]);
      const attrs = { filterSize, strides, pad };
      expectEqual(solid ? 'MaxPool3DGrad' : 'MaxPoolGrad', { dy, input: x, output: dy }, attrs);
      // Without padding cpu divides by the right number too.
      if (pad === 'valid') expectEqual(solid ? 'AvgPool3DGrad' : 'AvgPoolGrad', { dy, input: x }, attrs);
    }
  });

  it('average pooling is the slope of its forward pass where there is padding', () => {
    const random = randomSource(13);
    for (const [shape, size] of [[[1, 4, 5, 2], 3] as const, [[2, 3, 3, 3, 1], 2] as const]) {
      const x = floats(random, [...shape]);
      const pool = (values: number[]) => {
        const tensor = tf.tensor(values, [...shape]);
        const pooled =
          size === 3
            ? tf.avgPool(tensor as tf.Tensor4D, 3, 2, 'same')
            : tf.avgPool3d(tensor as tf.Tensor5D, 2, 2, 'same');
        return { shape: pooled.shape, data: Array.from(pooled.dataSync()) };
      };
      tf.setBackend('cpu');
      const base = pool(x.data);
      const dy = floats(random, base.shape);
      // The forward pass is linear: one step of 1 in each element gives its column exactly.
      const slope = x.data.map((_, at) => {
        const moved = pool(x.data.map((value, index) => (index === at ? value + 1 : value)));
        return moved.data.reduce(
          (sum, value, index) => sum + (value - (base.data[index] ?? NaN)) * (dy.data[index] ?? NaN),
          0,
        );
      });
      const kernel = size === 3 ? 'AvgPoolGrad' : 'AvgPool3DGrad';
      const attrs = { filterSize: size, strides: 2, pad: 'same' };
      expectEqual(kernel, { dy, input: x }, attrs, { within: 1e-5, reference: { ...x, data: slope } });
    }
  });

  it('the input gradient of conv3d equals cpu', () => {
    const random = randomSource(14);
    for (let round = 0; round < 60; round++) {
      const spatial = [1, 2, 3].map(() => random.whole(3, 6));
      const inputShape = [random.whole(1, 3), ...spatial, random.whole(1, 3)];
      const filter = [...[1, 2, 3].map(() => random.whole(1, 3)), inputShape[4] ?? 1, random.whole(1, 4)];
      const strides = [1, 2, 3].map(() => random.whole(1, 2));
      const pad = random.pick(['same', 'valid'] as const);
      const info = tf.backend_util.computeConv3DInfo(
        inputShape as [number, number, number, number, number],
        filter as [number, number, number, number, number],
        strides as [number, number, number],
        1,
        pad,
      );
      const inputs = { dy: floats(random, info.outShape), filter: floats(random, filter) };
      expectEqual('Conv3DBackpropInputV2', inputs, { strides, pad, inputShape });
    }
  });
});

describe('the gradient of gather on WASM', () => {
  it('equals cpu: repeated, unordered, missing, negative and too large segments, no rows', () => {
    const random = randomSource(9);
    for (let round = 0; round < 100; round++) {
      const rows = random.whole(0, 12);
      const shape = [rows, ...random.pick([[], [3], [2, 4], [1, 1, 5]])];
      const numSegments = random.whole(1, 9);
      const ids = Array.from({ length: rows }, () => random.whole(-2, numSegments + 1));
      const segmentIds: Values = { shape: [rows], dtype: 'int32', data: ids };
      if (rows > 0)
        expectEqual('UnsortedSegmentSum', { x: floats(random, shape), segmentIds }, { numSegments });
      else {
        const empty = run(
          'wasm',
          'UnsortedSegmentSum',
          { x: floats(random, shape), segmentIds },
          { numSegments },
        );
        expect(empty.shape).toEqual([numSegments, ...shape.slice(1)]);
        expect(Array.from(empty.dataSync()).every((value) => value === 0)).toBe(true);
        empty.dispose();
      }
    }
  });

  it('sums whole numbers exactly and refuses ids that do not fit', () => {
    tf.setBackend('wasm');
    const x = tf.tensor2d(
      [
        [1, 2],
        [30, 40],
        [500, 600],
      ],
      [3, 2],
      'int32',
    );
    const sum = tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1], 'int32'), 2);
    expect(sum.dtype).toBe('int32');
    expect(sum.arraySync()).toEqual([
      [30, 40],
      [501, 602],
    ]);
    const ids: Values = { shape: [2], dtype: 'int32', data: [0, 1] };
    const values: Values = { shape: [3], dtype: 'float32', data: [1, 2, 3] };
    expect(() =>
      run('wasm', 'UnsortedSegmentSum', { x: values, segmentIds: ids }, { numSegments: 2 }),
    ).toThrow('[2]');
  });
});

describe('replaced kernels of WASM', () => {
  it('products of matrices equal cpu: transposed, batched, broadcast, large and small', () => {
    const random = randomSource(10);
    const leading: [number[], number[]][] = [
      [[], []],
      [[3], [3]],
      [[1], [3]],
      [[3], [1]],
      [
        [2, 3],
        [2, 3],
      ],
      [
        [2, 1],
        [1, 3],
      ],
      [
        [2, 3],
        [1, 1],
      ],
    ];
    for (const [outerA, outerB] of leading) {
      for (const scale of [1, 40]) {
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const [m, k, n] = [
              random.whole(1, 3) * scale,
              random.whole(1, 3) * scale,
              random.whole(1, 3) * scale,
            ];
            const a = floats(random, [...outerA, ...(transposeA ? [k, m] : [m, k])]);
            const b = floats(random, [...outerB, ...(transposeB ? [n, k] : [k, n])]);
            expectEqual('BatchMatMul', { a, b }, { transposeA, transposeB });
          }
        }
      }
    }
  });

  it('slices equal cpu for every rank, to the end, empty, of whole numbers and of texts', () => {
    const random = randomSource(11);
    for (let round = 0; round < 200; round++) {
      const shape = Array.from({ length: random.whole(1, 6) }, () => random.whole(1, 5));
      const begin = shape.map((length) => random.whole(0, length - 1));
      const size = shape.map((length, axis) =>
        random.pick([-1, random.whole(0, length - (begin[axis] ?? 0))]),
      );
      const x = floats(random, shape);
      const whole: Values = { ...x, dtype: 'int32', data: x.data.map((value) => Math.round(value * 100)) };
      expectEqual('Slice', { x: random.pick([x, whole]) }, { begin, size }, { within: 0 });
    }
    tf.setBackend('wasm');
    expect(tf.slice(tf.tensor1d(['a', 'b', 'c']), [1], [2]).dataSync()).toEqual(['b', 'c']);
    expect(tf.slice(tf.tensor1d([true, false, true], 'bool'), [1], [2]).arraySync()).toEqual([0, 1]);
  });
});
