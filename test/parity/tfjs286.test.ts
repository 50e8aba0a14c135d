// Equality with the full batch for scripts that bring TensorFlow.js 2.8.6.
import { otherVersion } from './otherVersion';

otherVersion('2.8.6');
