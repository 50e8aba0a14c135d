// Paths as they can be pasted into a command line.

/**
 * In quotes where a shell would read the text as something else. On Windows in double quotes, which no file name there
 * can hold; elsewhere in single ones, in which a POSIX shell reads nothing as anything else.
 */
export function quoted(text: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w./\\:-]+$/.test(text)) return text;
  return platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
