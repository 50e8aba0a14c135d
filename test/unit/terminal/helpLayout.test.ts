// Help at the widths of real terminals: nothing is cut, and what an option does is beside or below it.
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { helpLayout } from '../../../src/terminal/helpLayout';

function help(columns: number): string {
  return new Command('tool')
    .configureHelp({ ...helpLayout, helpWidth: columns })
    .description('does one thing and does it well, in more words than fit one line')
    .option('--some-option <value>', 'says in words how it is done, like this or like that')
    .argument('<first>', 'what it is done to')
    .argument('[more words...]', 'and more')
    .helpInformation();
}

test('beside the option where there is room', () => {
  expect(help(60).split('\n')).toEqual(
    expect.arrayContaining([
      '  --some-option <value>  says in words how it is done, like',
      '                         this or like that',
    ]),
  );
});

test('below the option in a narrow terminal', () => {
  expect(help(40).split('\n')).toEqual(
    expect.arrayContaining([
      'Usage: tool [options] <first> [more',
      '       words...]',
      '  --some-option <value>',
      '      says in words how it is done, like',
      '      this or like that',
    ]),
  );
});

test.each([24, 30, 46, 60, 80, 120])('no line is wider than %i columns or ends with a blank', (columns) => {
  for (const line of help(columns).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(columns);
    expect(line).toBe(line.trimEnd());
  }
});
