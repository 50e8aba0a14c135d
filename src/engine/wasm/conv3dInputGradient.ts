// Conv3DBackpropInputV2 for WASM: a matrix product, scattered. The backend's own gives wrong values.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { shapeAttribute } from './convolution';
import { input, sizeOf, type Core, type Kernel, type KernelRunner } from './kernelRunner';
import { pieces } from './rows';

/** Workspace for the products of some examples, in bytes. */
const workspaceBytes = 16 * 2 ** 20;

type Info = ReturnType<Core['backend_util']['computeConv3DInfo']>;

/** Adds what each output's product says of the elements under its window to their gradients. */
function scatter(info: Info, products: Float32Array, dx: Float32Array, rows: number, firstRow: number): void {
  const { inDepth, inHeight, inWidth, inChannels, padInfo } = info;
  let at = 0;
  for (let n = firstRow; n < firstRow + rows; n++) {
    for (let p = 0; p < info.outDepth; p++) {
      for (let q = 0; q < info.outHeight; q++) {
        for (let r = 0; r < info.outWidth; r++) {
          for (let i = 0; i < info.filterDepth; i++) {
            const d = p * info.strideDepth + i - padInfo.front;
            for (let j = 0; j < info.filterHeight; j++) {
              const h = q * info.strideHeight + j - padInfo.top;
              for (let k = 0; k < info.filterWidth; k++, at += inChannels) {
                const w = r * info.strideWidth + k - padInfo.left;
                if (d < 0 || d >= inDepth || h < 0 || h >= inHeight || w < 0 || w >= inWidth) continue;
                const to = (((n * inDepth + d) * inHeight + h) * inWidth + w) * inChannels;
                for (let c = 0; c < inChannels; c++)
                  dx[to + c] = (dx[to + c] as number) + (products[at + c] as number);
              }
            }
          }
        }
      }
    }
  }
}

/** The kernel: inputs dy [N,P,Q,R,O], filter [I,J,K,C,O]; attributes strides, pad, inputShape. */
export function conv3dInputGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const inputShape = shapeAttribute(args, 'inputShape') as [number, number, number, number, number];
    const dy = input(args, 'dy');
    const filter = input(args, 'filter');
    const { strides, pad } = args.attrs as { strides: number; pad: 'same' };
    const filterShape = filter.shape as [number, number, number, number, number];
    const info = runner.core.backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad);
    const gradient = runner.zeros(inputShape, 'float32');
    if (sizeOf(inputShape) === 0 || sizeOf(dy.shape) === 0) return gradient;
    const { outChannels } = info;
    const columns = sizeOf(filterShape) / outChannels;
    const outputs = info.outDepth * info.outHeight * info.outWidth;
    const flat: TensorInfo = { ...filter, shape: [columns, outChannels] };
    const across = runner.run('Transpose', { x: flat }, { perm: [1, 0] });
    const most = Math.max(1, Math.floor(workspaceBytes / (4 * outputs * columns)));
    for (const [start, count] of pieces(info.batchSize, most)) {
      const part = runner.output([count * outputs, outChannels], 'float32');
      const length = outputs * outChannels;
      runner.floats(part).set(runner.floats(dy).subarray(start * length, (start + count) * length));
      const products = runner.run(
        'BatchMatMul',
        { a: part, b: across },
        { transposeA: false, transposeB: false },
      );
      runner.free(part);
      scatter(info, runner.floats(products), runner.floats(gradient), count, start);
      runner.free(products);
    }
    runner.free(across);
    return gradient;
  };
}
