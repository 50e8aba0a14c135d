// Equality with the full batch on WASM.
import { equalityMatrix } from './equalityMatrix';

equalityMatrix('wasm');
