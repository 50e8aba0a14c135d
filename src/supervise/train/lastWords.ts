// The last lines that a script printed before it ended by itself: the reason may stand there and nowhere else.
import { stripVTControlCharacters } from 'node:util';

const most = 10;
/** The advice of tfjs to install what was chosen or passed over already, and the rules around it. */
const advice = [/^={28}$/, /^Hi, looks like you are running TensorFlow\.js in Node\.js/];

/** A heading and at most ten lines, indented; empty where the script printed nothing that tells. */
export function lastWords(printed: string): string[] {
  const lines = stripVTControlCharacters(printed)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !advice.some((pattern) => pattern.test(line)));
  return lines.length === 0 ? [] : ['It printed last:', ...lines.slice(-most).map((line) => `  ${line}`)];
}
