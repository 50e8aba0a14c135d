// A value from a file as it is quoted in a sentence.
import { shownLine } from './shownText';

/** Longer ones are cut: a sentence is to be read. */
const mostCharacters = 200;

/** The value as JSON has it, cut to what a sentence can hold. */
export function shownValue(value: unknown): string {
  const text = shownLine(JSON.stringify(value) ?? String(value));
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}
