// A command line that is shown may be pasted: whatever a file is called, a shell reads its name and nothing else.
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { quoted } from '../../../src/planning/commandText';

const names = [
  'train.accumulation.json',
  'my train.json',
  'a$(touch pwned);b.json',
  '`touch pwned`',
  "it's & that's.json",
  '"$HOME"\\n',
  'two\nlines.json',
  'ends with one\n',
  '-\u001b]0;title\u0007 \u202ecod.js %s \\n \'"`$(touch pwned)',
  '-rf *',
];

describe.skipIf(process.platform === 'win32')('in a POSIX shell', () => {
  test.each(names)('%j', (name) => {
    const { stdout } = spawnSync('sh', ['-c', `printf %s ${quoted(name, 'linux')}`], { encoding: 'utf8' });
    expect(stdout).toBe(name);
  });
});

test('what acts in a terminal is not in the command line as itself', () => {
  expect(quoted('a\u001b\u202e.js', 'linux')).toBe(String.raw`"$(printf 'a\033\342\200\256.js')"`);
});

test('on Windows in double quotes, which no file name there can hold', () => {
  expect(quoted('C:\\my files\\a.json', 'win32')).toBe('"C:\\my files\\a.json"');
  expect(quoted('C:\\files\\a.json', 'win32')).toBe('C:\\files\\a.json');
});
