// Loops of the user's own equal the full batch on plain cpu.
import { accumulateMatrix } from './accumulateMatrix';

accumulateMatrix('cpu');
