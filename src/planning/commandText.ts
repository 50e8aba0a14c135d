// Paths as they can be pasted into a command line.
import { acts } from './shownText';

/**
 * In quotes where a shell would read the text as something else. On Windows in double quotes, which no file name there
 * can hold; elsewhere in single ones, in which a POSIX shell reads nothing as anything else. What acts in a terminal
 * (ESC, a line end) is left to `printf`, as its bytes in octal.
 */
export function quoted(text: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w./\\:-]+$/.test(text)) return text;
  if (platform === 'win32') return `"${text}"`;
  // A shell takes line ends from the end of what a command printed.
  if (acts(text) && !text.endsWith('\n')) return `"$(printf '${octal(text)}')"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function octal(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      const isPlain = /[\w./: ]/.test(character) || (character === '-' && index > 0);
      return isPlain ? character : `\\${byte.toString(8).padStart(3, '0')}`;
    })
    .join('');
}
