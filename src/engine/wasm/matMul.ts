// BatchMatMul for WASM through its fast product: the backend has one for plain matrices and is ten times slower on all others.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { input, sizeOf, type Kernel, type KernelRunner } from './kernelRunner';

/** Multiplications from which a product of its own pays for being set up. */
const worthwhile = 2 ** 14;

/** Matrices [count, m, n] as [count, n, m]; a handle of its own where nothing is to do. */
function upright(runner: KernelRunner, matrices: TensorInfo, transposed: boolean): TensorInfo {
  return transposed ? runner.run('Transpose', { x: matrices }, { perm: [0, 2, 1] }) : runner.share(matrices);
}

/** The matrix at `index` as a tensor of its own; a handle on the whole where there is only one. */
function matrixAt(runner: KernelRunner, matrices: TensorInfo, index: number): TensorInfo {
  const [count = 1, ...shape] = matrices.shape;
  if (count === 1) return runner.share(matrices, shape);
  const matrix = runner.output(shape, 'float32');
  const length = sizeOf(shape);
  runner.floats(matrix).set(runner.floats(matrices).subarray(index * length, (index + 1) * length));
  return matrix;
}

const plainProduct = { transposeA: false, transposeB: false };

/** The kernel: inputs a [..., m, k], b [..., k, n]; attributes transposeA, transposeB. */
export function matMul(runner: KernelRunner): Kernel {
  return (args) => {
    const a = input(args, 'a');
    const b = input(args, 'b');
    const transposeA = args.attrs.transposeA === true;
    const transposeB = args.attrs.transposeB === true;
    const outerA = a.shape.slice(0, -2);
    const outerB = b.shape.slice(0, -2);
    const countA = sizeOf(outerA);
    const countB = sizeOf(outerB);
    const [m = 0, k = 0] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
    const n = b.shape[b.shape.length - (transposeB ? 2 : 1)] ?? 0;
    // Broadcasting inside the leading dimensions, and products of nothing, are left to the backend.
    const simple =
      countA === countB ? outerA.join() === outerB.join() || countA === 1 : countA === 1 || countB === 1;
    const untouched = !transposeA && !transposeB && countA === 1 && countB === 1;
    if (untouched || !simple || m * k * n < worthwhile || a.dtype !== 'float32' || b.dtype !== 'float32') {
      return runner.run('BatchMatMul', args.inputs, args.attrs);
    }
    const left = upright(runner, { ...a, shape: [countA, ...a.shape.slice(-2)] }, transposeA);
    const right = upright(runner, { ...b, shape: [countB, ...b.shape.slice(-2)] }, transposeB);
    const outer = runner.core.backend_util.assertAndGetBroadcastShape(outerA, outerB);
    const result = productOf(runner, left, right, [m, n]);
    runner.free(left, right);
    return { ...result, shape: [...outer, m, n] };
  };
}

function productOf(
  runner: KernelRunner,
  left: TensorInfo,
  right: TensorInfo,
  shape: [number, number],
): TensorInfo {
  const count = Math.max(left.shape[0] ?? 1, right.shape[0] ?? 1);
  const product = (index: number): TensorInfo =>
    runner.consume(
      'BatchMatMul',
      { a: matrixAt(runner, left, index), b: matrixAt(runner, right, index) },
      plainProduct,
    );
  if (count === 1) return product(0);
  const result = runner.output([count, ...shape], 'float32');
  const length = sizeOf(shape);
  for (let index = 0; index < count; index++) {
    const one = product(index);
    runner.floats(result).set(runner.floats(one), index * length);
    runner.free(one);
  }
  return result;
}
