// Equality with the full batch on real TensorFlow.
import { equalityMatrix } from './equalityMatrix';

equalityMatrix('tensorflow');
