// Equality with the full batch for scripts that bring TensorFlow.js 3.21.0.
import { otherVersion } from './otherVersion';

otherVersion('3.21.0');
