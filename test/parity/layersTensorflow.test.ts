// Layers of every kind, accumulated, on real TensorFlow.
import { layerKinds } from './layerKinds';

layerKinds('tensorflow');
