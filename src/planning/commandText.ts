// Paths as they can be pasted into a command line.

/** In quotes where a shell would cut the text. */
export function quoted(text: string): string {
  return /^[\w./\\:-]+$/.test(text) ? text : JSON.stringify(text);
}
