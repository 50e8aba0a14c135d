// Equality with the full batch on the plain cpu backend.
import { equalityMatrix } from './equalityMatrix';

equalityMatrix('cpu');
