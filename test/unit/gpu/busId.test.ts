import { expect, test } from 'vitest';
import { normaliseBusId } from '../../../src/gpu/busId';

test.each([
  ['00000000:3B:00.0', '0000:3b:00.0'],
  ['3b:00.0', '0000:3b:00.0'],
  ['0000:3b:00.0', '0000:3b:00.0'],
  ['0001:00:00.0', '0001:00:00.0'],
  ['00010000:E1:00.0', '10000:e1:00.0'],
  ['0:1:0.3', '0000:01:00.3'],
  [' 17:00.0 ', '0000:17:00.0'],
])('the address %s is %s', (text, expected) => {
  expect(normaliseBusId(text)).toBe(expected);
});

test.each(['', '0', 'GPU-17', '17:00', '17:00.9', 'PCIe', '[N/A]', '123456789:00:00.0'])(
  'the text "%s" is no address',
  (text) => {
    expect(normaliseBusId(text)).toBeNull();
  },
);
