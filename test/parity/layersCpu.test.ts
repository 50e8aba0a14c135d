// Layers of every kind, accumulated, on the plain cpu backend.
import { layerKinds } from './layerKinds';

layerKinds('cpu');
