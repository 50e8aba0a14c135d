// How often to save, as people type it: what is taken, and one sentence for each mistake.
import { expect, test } from 'vitest';
import { parseCheckpointSeconds, parseCheckpointUpdates } from '../../../src/planning/checkpointInput';
import { InputError } from '../../../src/planning/userInput';

test.each<[string, number]>([
  ['60', 60],
  ['0.5', 0.5],
  [' 5 ', 5],
  ['86400', 86_400],
])('%j seconds', (text, seconds) => expect(parseCheckpointSeconds(text)).toBe(seconds));

test.each<[string, number]>([
  ['1', 1],
  ['500', 500],
])('%j updates', (text, updates) => expect(parseCheckpointUpdates(text)).toBe(updates));

test.each(['', '0', '-1', 'often', '1e3', '5s', 'Infinity', '86401', '0x10'])(
  '%j seconds are refused',
  (text) => {
    expect(() => parseCheckpointSeconds(text)).toThrow(InputError);
    expect(() => parseCheckpointSeconds(text)).toThrow(
      /^The seconds between checkpoints, ".*", cannot be used: [^\n]*\.$/,
    );
  },
);

test.each(['', '0', '-1', '1.5', 'all', '1e3', '99999999999'])('%j updates are refused', (text) => {
  expect(() => parseCheckpointUpdates(text)).toThrow(
    /^The updates between checkpoints, ".*", cannot be used: [^\n]*\.$/,
  );
});
