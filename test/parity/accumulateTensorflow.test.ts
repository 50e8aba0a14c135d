// Loops of the user's own equal the full batch on real TensorFlow.
import { accumulateMatrix } from './accumulateMatrix';

accumulateMatrix('tensorflow');
