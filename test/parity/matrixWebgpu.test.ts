// Equality with the full batch on WebGPU (SwiftShader).
import { equalityMatrix } from './equalityMatrix';

equalityMatrix('webgpu');
