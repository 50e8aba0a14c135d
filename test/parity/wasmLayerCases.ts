// One small model for each class of layer that TensorFlow.js brings, to be trained for a step.
import type * as tfTypes from '@tensorflow/tfjs';

type Tf = typeof tfTypes;

/** A layer of the class under test, and the shape of one example that it takes. */
export interface LayerCase {
  /** The layer's class name, as in a saved model. */
  readonly className: string;
  /** Told from others of the same class. */
  readonly variant?: string;
  readonly input: readonly number[];
  /** The layer comes first in the model: nothing before it has weights, so no gradient has to go through it. */
  readonly first?: true;
  /** Whole numbers from 0 up to this take the place of random ones (embedding, encoding). */
  readonly below?: number;
  layer(tf: Tf): tfTypes.layers.Layer;
}

/** Layers that take several inputs. */
export interface MergeCase {
  readonly className: string;
  readonly input: readonly number[];
  merge(tf: Tf, inputs: tfTypes.SymbolicTensor[]): tfTypes.SymbolicTensor;
}

const image = [8, 8, 3];
const sequence = [5, 4];

/** Every class of `tf.layers` with one input; wrappers around one of their own. */
export const layerCases: readonly LayerCase[] = [
  { className: 'Activation', input: sequence, layer: (tf) => tf.layers.activation({ activation: 'tanh' }) },
  ...(
    [
      'elu',
      'hardSigmoid',
      'linear',
      'relu',
      'relu6',
      'selu',
      'sigmoid',
      'softmax',
      'softplus',
      'softsign',
      'swish',
      'mish',
      'gelu',
      'gelu_new',
    ] as const
  ).map((activation): LayerCase => ({
    className: 'Dense',
    variant: activation,
    input: [6],
    layer: (tf) => tf.layers.dense({ units: 5, activation }),
  })),
  { className: 'AlphaDropout', input: sequence, layer: (tf) => tf.layers.alphaDropout({ rate: 0 }) },
  {
    className: 'AveragePooling1D',
    input: sequence,
    layer: (tf) => tf.layers.averagePooling1d({ poolSize: 2 }),
  },
  {
    className: 'AveragePooling2D',
    input: image,
    layer: (tf) => tf.layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  },
  {
    className: 'AveragePooling3D',
    input: [4, 4, 4, 2],
    layer: (tf) => tf.layers.averagePooling3d({ poolSize: 2 }),
  },
  { className: 'BatchNormalization', input: image, layer: (tf) => tf.layers.batchNormalization() },
  {
    className: 'Bidirectional',
    input: sequence,
    layer: (tf) =>
      tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 3 }) as tfTypes.RNN, mergeMode: 'concat' }),
  },
  {
    className: 'CategoryEncoding',
    input: [3],
    below: 4,
    layer: (tf) => tf.layers.categoryEncoding({ numTokens: 4, outputMode: 'multiHot' }),
  },
  {
    className: 'CenterCrop',
    input: image,
    layer: (tf) => tf.layers.centerCrop({ height: 5, width: 5 }),
  },
  {
    className: 'Conv1D',
    input: [9, 3],
    layer: (tf) => tf.layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same' }),
  },
  {
    className: 'Conv1D',
    variant: 'strided',
    input: [9, 3],
    layer: (tf) => tf.layers.conv1d({ filters: 4, kernelSize: 3, strides: 2 }),
  },
  {
    className: 'Conv2D',
    input: image,
    layer: (tf) => tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
  },
  {
    className: 'Conv2D',
    variant: 'strided',
    input: image,
    layer: (tf) => tf.layers.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 3], padding: 'same' }),
  },
  {
    className: 'Conv2D',
    variant: 'channels first',
    input: [3, 8, 8],
    layer: (tf) => tf.layers.conv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsFirst' }),
  },
  {
    className: 'Conv2DTranspose',
    input: image,
    layer: (tf) => tf.layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
  },
  {
    className: 'Conv3D',
    input: [4, 4, 4, 2],
    layer: (tf) => tf.layers.conv3d({ filters: 3, kernelSize: 2 }),
  },
  {
    className: 'Conv3DTranspose',
    input: [4, 4, 4, 2],
    layer: (tf) => tf.layers.conv3dTranspose({ filters: 3, kernelSize: 2 }),
  },
  {
    className: 'ConvLSTM2D',
    input: [3, 6, 6, 2],
    layer: (tf) => tf.layers.convLstm2d({ filters: 2, kernelSize: 3 }),
  },
  {
    className: 'Cropping2D',
    input: image,
    layer: (tf) =>
      tf.layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
  },
  {
    className: 'DepthwiseConv2D',
    input: image,
    layer: (tf) => tf.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
  },
  { className: 'Dropout', input: sequence, layer: (tf) => tf.layers.dropout({ rate: 0 }) },
  { className: 'ELU', input: sequence, layer: (tf) => tf.layers.elu() },
  {
    className: 'Embedding',
    input: [5],
    below: 7,
    layer: (tf) => tf.layers.embedding({ inputDim: 7, outputDim: 4 }),
  },
  {
    className: 'Embedding',
    variant: 'masked',
    input: [5],
    below: 7,
    layer: (tf) => tf.layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true }),
  },
  { className: 'Flatten', input: image, layer: (tf) => tf.layers.flatten() },
  { className: 'GRU', input: sequence, layer: (tf) => tf.layers.gru({ units: 3 }) },
  { className: 'GaussianDropout', input: sequence, layer: (tf) => tf.layers.gaussianDropout({ rate: 0 }) },
  { className: 'GaussianNoise', input: sequence, layer: (tf) => tf.layers.gaussianNoise({ stddev: 0 }) },
  { className: 'GlobalAveragePooling1D', input: sequence, layer: (tf) => tf.layers.globalAveragePooling1d() },
  { className: 'GlobalAveragePooling2D', input: image, layer: (tf) => tf.layers.globalAveragePooling2d({}) },
  { className: 'GlobalMaxPooling1D', input: sequence, layer: (tf) => tf.layers.globalMaxPooling1d() },
  { className: 'GlobalMaxPooling2D', input: image, layer: (tf) => tf.layers.globalMaxPooling2d({}) },
  { className: 'LSTM', input: sequence, layer: (tf) => tf.layers.lstm({ units: 3, returnSequences: true }) },
  {
    className: 'LSTM',
    variant: 'hard sigmoid, dropout 0',
    input: sequence,
    layer: (tf) =>
      tf.layers.lstm({ units: 3, recurrentActivation: 'hardSigmoid', dropout: 0, goBackwards: true }),
  },
  { className: 'LayerNormalization', input: sequence, layer: (tf) => tf.layers.layerNormalization() },
  { className: 'LeakyReLU', input: sequence, layer: (tf) => tf.layers.leakyReLU() },
  { className: 'Masking', first: true, input: sequence, layer: (tf) => tf.layers.masking({ maskValue: 0 }) },
  { className: 'MaxPooling1D', input: sequence, layer: (tf) => tf.layers.maxPooling1d({ poolSize: 2 }) },
  {
    className: 'MaxPooling2D',
    input: image,
    layer: (tf) => tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  },
  { className: 'MaxPooling3D', input: [4, 4, 4, 2], layer: (tf) => tf.layers.maxPooling3d({ poolSize: 2 }) },
  {
    className: 'PReLU',
    input: sequence,
    layer: (tf) => tf.layers.prelu({ alphaInitializer: 'randomNormal' }),
  },
  { className: 'Permute', input: sequence, layer: (tf) => tf.layers.permute({ dims: [2, 1] }) },
  {
    className: 'RNN',
    input: sequence,
    layer: (tf) =>
      tf.layers.rnn({ cell: [tf.layers.gruCell({ units: 3 }), tf.layers.lstmCell({ units: 2 })] as never }),
  },
  {
    className: 'RandomWidth',
    input: image,
    layer: (tf) => tf.layers.randomWidth({ factor: [0, 0], seed: 1 }),
  },
  { className: 'ReLU', input: sequence, layer: (tf) => tf.layers.reLU({ maxValue: 0.5 }) },
  { className: 'RepeatVector', input: [4], layer: (tf) => tf.layers.repeatVector({ n: 3 }) },
  { className: 'Rescaling', input: image, layer: (tf) => tf.layers.rescaling({ scale: 0.5, offset: 1 }) },
  { className: 'Reshape', input: image, layer: (tf) => tf.layers.reshape({ targetShape: [4, 48] }) },
  {
    className: 'Resizing',
    variant: 'bilinear',
    input: image,
    layer: (tf) => tf.layers.resizing({ height: 5, width: 6, interpolation: 'bilinear' }),
  },
  {
    className: 'Resizing',
    variant: 'nearest',
    input: image,
    layer: (tf) => tf.layers.resizing({ height: 5, width: 6, interpolation: 'nearest' }),
  },
  {
    className: 'SeparableConv2D',
    input: image,
    layer: (tf) =>
      tf.layers.separableConv2d({
        filters: 4,
        kernelSize: 3,
        depthMultiplier: 2,
        strides: 2,
        padding: 'same',
      }),
  },
  { className: 'SimpleRNN', input: sequence, layer: (tf) => tf.layers.simpleRNN({ units: 3 }) },
  { className: 'Softmax', input: sequence, layer: (tf) => tf.layers.softmax({ axis: -1 }) },
  { className: 'SpatialDropout1D', input: sequence, layer: (tf) => tf.layers.spatialDropout1d({ rate: 0 }) },
  { className: 'ThresholdedReLU', input: sequence, layer: (tf) => tf.layers.thresholdedReLU() },
  {
    className: 'TimeDistributed',
    input: [3, 6, 6, 2],
    layer: (tf) => tf.layers.timeDistributed({ layer: tf.layers.conv2d({ filters: 2, kernelSize: 3 }) }),
  },
  {
    className: 'UpSampling2D',
    variant: 'nearest',
    input: [3, 3, 2],
    layer: (tf) => tf.layers.upSampling2d({ size: [2, 3] }),
  },
  {
    className: 'UpSampling2D',
    variant: 'bilinear',
    input: [3, 3, 2],
    layer: (tf) => tf.layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
  },
  {
    className: 'ZeroPadding2D',
    input: image,
    layer: (tf) =>
      tf.layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
  },
];

/** Every class of `tf.layers` with several inputs. */
export const mergeCases: readonly MergeCase[] = [
  {
    className: 'Add',
    input: [4],
    merge: (tf, inputs) => tf.layers.add().apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Average',
    input: [4],
    merge: (tf, inputs) => tf.layers.average().apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Concatenate',
    input: [4],
    merge: (tf, inputs) => tf.layers.concatenate().apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Dot',
    input: [3, 4],
    merge: (tf, inputs) => tf.layers.dot({ axes: 2 }).apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Maximum',
    input: [4],
    merge: (tf, inputs) => tf.layers.maximum().apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Minimum',
    input: [4],
    merge: (tf, inputs) => tf.layers.minimum().apply(inputs) as tfTypes.SymbolicTensor,
  },
  {
    className: 'Multiply',
    input: [4],
    merge: (tf, inputs) => tf.layers.multiply().apply(inputs) as tfTypes.SymbolicTensor,
  },
];
