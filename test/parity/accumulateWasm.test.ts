// Loops of the user's own equal the full batch on WASM.
import { accumulateMatrix } from './accumulateMatrix';

accumulateMatrix('wasm');
