// How often a training is to be saved, as people type it on the command line.
import { formatCount } from './units';
import { InputError } from './userInput';

/** A day: a training that is saved less often has no use for it. */
const mostSeconds = 86_400;
const mostUpdates = 1_000_000_000;

/**
 * Seconds between two checkpoints, like `30` or `0.5`.
 * @throws InputError
 */
export function parseCheckpointSeconds(text: string): number {
  const value = Number(text.trim());
  if (!/^\d+(\.\d+)?$/.test(text.trim()) || value <= 0 || value > mostSeconds) {
    throw new InputError(
      'checkpoints',
      `The seconds between checkpoints, ${JSON.stringify(text)}, cannot be used: write a number above 0 and up to ${formatCount(mostSeconds)}, like 60.`,
    );
  }
  return value;
}

/**
 * Updates between two checkpoints.
 * @throws InputError
 */
export function parseCheckpointUpdates(text: string): number {
  const value = Number(text.trim());
  if (!/^\d+$/.test(text.trim()) || value < 1 || value > mostUpdates) {
    throw new InputError(
      'checkpoints',
      `The updates between checkpoints, ${JSON.stringify(text)}, cannot be used: write a whole number from 1 to ${formatCount(mostUpdates)}, like 100.`,
    );
  }
  return value;
}
