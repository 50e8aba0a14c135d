// Gradients of max and average pooling for WASM: the backend's own are wrong for negative values and for padding.
import { input, type Kernel, type KernelRunner } from './kernelRunner';
import { eachElement, eachWindow, poolingOf } from './pooling';

/**
 * The kernels MaxPoolGrad and MaxPool3DGrad: inputs dy, input; attributes filterSize, strides, pad, dimRoundingMode. All
 * of a window's gradient goes to its largest element, as on tfjs's cpu backend. The backend's own takes an element below
 * zero for no candidate.
 * @param ofEqual which of equal elements gets it: cpu takes the first in two dimensions and the last in three
 */
export function maxPoolGradient(runner: KernelRunner, ofEqual: 'first' | 'last'): Kernel {
  return (args) => {
    const image = input(args, 'input');
    const pooling = poolingOf(runner.core, args.attrs, image.shape);
    const { channels } = pooling;
    const gradient = runner.zeros(image.shape, 'float32');
    const dy = runner.floats(input(args, 'dy'));
    const x = runner.floats(image);
    const dx = runner.floats(gradient);
    const largest = new Float32Array(channels);
    const places = new Int32Array(channels);
    const look = (at: number): void => {
      for (let c = 0; c < channels; c++) {
        const value = x[at + c] as number;
        const so = largest[c] as number;
        if (value > so || (value === so && ofEqual === 'last')) {
          largest[c] = value;
          places[c] = at + c;
        }
      }
    };
    eachWindow(pooling, (row, window, outputAt) => {
      largest.fill(-Infinity);
      places.fill(-1);
      eachElement(pooling, row, window, look);
      for (let c = 0; c < channels; c++) {
        const place = places[c] as number;
        // A window of padding or of NaN alone has no largest element.
        if (place >= 0) dx[place] = (dx[place] as number) + (dy[outputAt + c] as number);
      }
    });
    return gradient;
  };
}

/**
 * The kernels AvgPoolGrad and AvgPool3DGrad: inputs dy, input; attributes as above. The gradient is shared among the
 * elements that the forward pass averaged: padding counts on neither side. tfjs's own (also on cpu) divides by the whole
 * window, which is not the gradient of what the forward pass computes.
 */
export function avgPoolGradient(runner: KernelRunner): Kernel {
  return (args) => {
    const image = input(args, 'input');
    const pooling = poolingOf(runner.core, args.attrs, image.shape);
    const { channels } = pooling;
    const gradient = runner.zeros(image.shape, 'float32');
    const dy = runner.floats(input(args, 'dy'));
    const dx = runner.floats(gradient);
    eachWindow(pooling, (row, window, outputAt) => {
      const { depth, height, width } = window;
      const share = 1 / ((depth[1] - depth[0]) * (height[1] - height[0]) * (width[1] - width[0]));
      eachElement(pooling, row, window, (at) => {
        for (let c = 0; c < channels; c++)
          dx[at + c] = (dx[at + c] as number) + share * (dy[outputAt + c] as number);
      });
    });
    return gradient;
  };
}
