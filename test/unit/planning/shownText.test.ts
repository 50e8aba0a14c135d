// Text from elsewhere as it is shown: nothing in it steers a terminal, breaks a line or turns the reading direction.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shownLine, shownLines } from '../../../src/planning/shownText';

/** By number: C0 and C1 controls, separators, and the twelve that Unicode lists as Bidi_Control. */
function isActing(code: number): boolean {
  const bidi = [
    0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ];
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || [0x2028, 0x2029, ...bidi].includes(code);
}

describe('a line', () => {
  test('has every acting character as its escape, and all others as they are', () => {
    for (let code = 0; code < 0x10000; code++) {
      const character = String.fromCharCode(code);
      const escape = `\\u${code.toString(16).padStart(4, '0')}`;
      expect(shownLine(`a${character}b`)).toBe(`a${isActing(code) ? escape : character}b`);
    }
  });

  test('of words of any script stays as it is', () => {
    for (const text of ['ünï 💥.js', '日本語', 'مدل', '👩‍👩‍👧', 'a\\u001b']) expect(shownLine(text)).toBe(text);
  });
});

test('lines keep their ends and tabs, and nothing else of the kind', () => {
  expect(shownLines('Error: a\u001B[2J\r\n\tat b\u202E.js:1\n')).toBe(
    'Error: a\\u001b[2J\n\tat b\\u202e.js:1\n',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const acting = [...shownLines(text)].filter((character) => isActing(character.codePointAt(0) ?? 0));
      expect(acting.filter((character) => character !== '\n' && character !== '\t')).toEqual([]);
    }),
  );
});
