// How help is laid out: what an option does stands beside it, or below it where the terminal is too narrow for both.
import { Help, type Command } from 'commander';
import { wrapText } from './fitLine';

/** Columns that a description needs beside its term. */
const leastBeside = 30;
const indent = '  ';
const deepIndent = '      ';

/** For `configureHelp`. */
export const helpLayout = {
  showGlobalOptions: true,
  /** Everything is wrapped, at any width. */
  minWidthToWrap: 1,

  commandUsage(this: Help, command: Command): string {
    const title = 'Usage: ';
    const usage = Help.prototype.commandUsage.call(this, command);
    return wrapText(usage, widthOf(this) - title.length).join(`\n${' '.repeat(title.length)}`);
  },

  formatItem(this: Help, term: string, termWidth: number, description: string): string {
    const beside = widthOf(this) - termWidth - 2 * indent.length;
    if (beside < leastBeside) {
      const below = wrapText(description, widthOf(this) - deepIndent.length);
      return [indent + term, ...below.map((line) => deepIndent + line)].join('\n');
    }
    const [first = '', ...rest] = wrapText(description, beside);
    const margin = ' '.repeat(termWidth + 2 * indent.length);
    return [`${indent}${term.padEnd(termWidth)}${indent}${first}`, ...rest.map((line) => margin + line)]
      .join('\n')
      .trimEnd();
  },
};

function widthOf(help: Help): number {
  return help.helpWidth ?? 80;
}
