// What a model.json says of its weights: which files they are in, their shapes, and the bytes that follow from those.
import * as z from 'zod';
import { shownValue } from '../../planning/shownValue';

/** Bytes of one stored element; strings have no fixed size. */
const elementBytes = { float32: 4, int32: 4, bool: 1, complex64: 8 } as const;
const quantizedBytes = { uint8: 1, uint16: 2, float16: 2 } as const;
/** tfjs stores each string as a 4-byte length and its UTF-8 bytes. */
const stringLengthBytes = 4;
/** Tensors of TensorFlow.js have at most this many dimensions. */
const mostDimensions = 6;

const kinds = ['float32', 'int32', 'bool', 'string', 'complex64'] as const;
const quantizedKinds = ['uint8', 'uint16', 'float16'] as const;

const oneOf = (what: string, names: readonly string[]) => ({
  error: ({ input }: { input?: unknown }) =>
    `${what} is ${shownValue(input)}, and these are known: ${names.join(', ')}`,
});

const weightSpec = z.looseObject({
  name: z.string('the name of a weight is a text'),
  shape: z
    .array(
      z
        .int({ error: ({ input }) => `a dimension is ${shownValue(input)}, and it must be a whole number` })
        .min(0, { error: ({ input }) => `a dimension is ${shownValue(input)}, and it cannot be below zero` }),
      'the shape of a weight is a list of whole numbers',
    )
    .refine((shape) => shape.length <= mostDimensions, `a weight has at most ${mostDimensions} dimensions`),
  dtype: z.enum(kinds, oneOf('the dtype', kinds)),
  quantization: z
    .looseObject({
      dtype: z.enum(quantizedKinds, oneOf('the dtype of a quantization', quantizedKinds)),
      scale: z.number().optional(),
      min: z.number().optional(),
    })
    .optional(),
});
export type WeightSpec = z.infer<typeof weightSpec>;

/** `weightsManifest` of a model.json: groups, each a run of weights stored end to end over its files. */
export const weightsManifest = z.array(
  z.looseObject({
    paths: z.array(z.string('a path is a text').refine((named) => named !== '', 'a path cannot be empty')),
    weights: z.array(weightSpec),
  }),
  'the weights manifest is a list',
);
export type WeightsManifest = z.infer<typeof weightsManifest>;

/** Bytes that a group's weights take on disk; `exact` is false where strings make it a lower bound. */
export function storedBytes(weights: readonly WeightSpec[]): { bytes: number; exact: boolean } {
  let bytes = 0;
  let exact = true;
  for (const { shape, dtype, quantization } of weights) {
    // Infinity times zero would be no number, and no number is larger than what a file has.
    const elements = shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, 1);
    if (quantization !== undefined) {
      bytes += elements * quantizedBytes[quantization.dtype];
    } else if (dtype === 'string') {
      bytes += elements * stringLengthBytes;
      exact = false;
    } else {
      bytes += elements * elementBytes[dtype];
    }
  }
  return { bytes, exact };
}
