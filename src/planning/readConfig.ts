// Reads an accumulation config: either what it says, or where it is wrong and how, in plain sentences.
import {
  type Node,
  type ParseError,
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { describeIssues } from './configIssues';
import { type AccumulationConfig, accumulationConfig, configVersion } from './configSchema';
import { deepestNesting, nestedDeeper } from './jsonDepth';
import { shownValue } from './shownValue';
import { type TextPosition, positionAt } from './textPosition';
import { formatCount } from './units';

/** One mistake in a config. */
export interface ConfigProblem extends TextPosition {
  /** One sentence: what is wrong, and what to write. */
  readonly message: string;
  /** Offset and length of the place in the text, for an editor to underline. */
  readonly offset: number;
  readonly length: number;
}

export type ConfigReading =
  | { readonly config: AccumulationConfig; readonly problems?: never }
  | { readonly problems: readonly ConfigProblem[]; readonly config?: never };

/** In characters: some hundred times what any config has. */
const longestConfig = 2 ** 21;
/** More are not told: each is looked up in the text, and nobody reads on. */
const mostProblems = 100;

/** Reads the text of a config. Comments and trailing commas are accepted. Problems come in the text's order. */
export function readConfig(text: string): ConfigReading {
  if (text.length > longestConfig) {
    const message = `This file has more than ${formatCount(longestConfig)} characters, which no config has.`;
    return { problems: [problem(text, 0, 0, message)] };
  }
  const tooDeep = nestedDeeper(text);
  if (tooDeep !== null) {
    const message = `This is nested more than ${deepestNesting} levels deep, which no config is.`;
    return { problems: [problem(text, tooDeep, 1, message)] };
  }
  const errors: ParseError[] = [];
  // A byte order mark is no JSON, but some editors write one.
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  const first = errors[0];
  if (text.trim() === '') return { problems: [problem(text, 0, 0, 'The file is empty.')] };
  if (first !== undefined || tree === undefined) {
    // What follows the first mistake in the syntax is mostly its consequence.
    const { offset, length } = first ?? { offset: 0, length: 0 };
    const kind = first === undefined ? 'InvalidSymbol' : printParseErrorCode(first.error);
    return { problems: [problem(text, offset, length, syntaxSentences[kind] ?? otherSyntax)] };
  }
  const value: unknown = getNodeValue(tree);
  const newer = newerVersion(value);
  if (newer !== null) {
    const message =
      `This config was written by a newer version of Batch Planner (format ${newer}; ` +
      `this one reads format ${configVersion}): update Batch Planner.`;
    return { problems: [problemAt(text, tree, ['version'], message)] };
  }
  const repeated = repeatedKeys(tree)
    .slice(0, mostProblems)
    .map((key) =>
      problem(text, key.offset, key.length, `${shownValue(key.value)} is there twice: remove one of them.`),
    );
  const length = objectAsLength(tree);
  if (length !== null) {
    const message = '"length" cannot be an object: nothing in a config has such a key.';
    return { problems: [problem(text, length.offset, length.length, message)] };
  }
  const parsed = accumulationConfig.safeParse(value);
  if (parsed.success && repeated.length === 0) return { config: parsed.data };
  const found = describeIssues(parsed.error?.issues ?? [], value, mostProblems).map(
    ({ path, key, message }) =>
      key === undefined ? problemAt(text, tree, path, message) : problemAtKey(text, tree, path, key, message),
  );
  return { problems: [...repeated, ...found].sort((a, b) => a.offset - b.offset).slice(0, mostProblems) };
}

function newerVersion(value: unknown): number | null {
  if (typeof value !== 'object' || value === null || !('version' in value)) return null;
  return typeof value.version === 'number' && value.version > configVersion ? value.version : null;
}

/** Some of the parser's own places end behind the text, where it is cut off. */
function problem(text: string, offset: number, length: number, message: string): ConfigProblem {
  const start = Math.min(offset, text.length);
  return {
    message,
    offset: start,
    length: Math.min(length, text.length - start),
    ...positionAt(text, start),
  };
}

/** At the value of a path, or of its nearest part that is there. */
function problemAt(text: string, tree: Node, path: readonly PropertyKey[], message: string): ConfigProblem {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length).map(segment));
    if (node === undefined) continue;
    return problem(text, node.offset, length === path.length ? node.length : 1, message);
  }
  return problem(text, tree.offset, 1, message);
}

function problemAtKey(
  text: string,
  tree: Node,
  path: readonly PropertyKey[],
  key: string,
  message: string,
): ConfigProblem {
  const name = findNodeAtLocation(tree, [...path.map(segment), key])?.parent?.children?.[0];
  return name === undefined
    ? problemAt(text, tree, path, message)
    : problem(text, name.offset, name.length, message);
}

function segment(part: PropertyKey): string | number {
  return typeof part === 'number' ? part : String(part);
}

/** The first "length" that holds an object: the schema compares lengths also of what is no text or list, and fails on it. */
function objectAsLength(node: Node): Node | null {
  for (const child of node.children ?? []) {
    const [name, value] = child.type === 'property' ? (child.children ?? []) : [];
    if (name?.value === 'length' && value !== undefined && holdsObject(value)) return name;
    const found = objectAsLength(child);
    if (found !== null) return found;
  }
  return null;
}

function holdsObject(node: Node): boolean {
  return node.type === 'object' || (node.children ?? []).some(holdsObject);
}

/** The name nodes of keys that their object has already. */
function repeatedKeys(node: Node): Node[] {
  const repeats = (node.children ?? []).flatMap(repeatedKeys);
  if (node.type !== 'object') return repeats;
  const seen = new Set<unknown>();
  for (const property of node.children ?? []) {
    const name = property.children?.[0];
    if (name === undefined) continue;
    if (seen.has(name.value)) repeats.push(name);
    seen.add(name.value);
  }
  return repeats;
}

const syntaxSentences: Partial<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  PropertyNameExpected: 'A key in double quotes is expected here.',
  ValueExpected: 'A value is expected here.',
  ColonExpected: 'A colon is expected here, between the key and its value.',
  CommaExpected: 'A comma is expected here.',
  CloseBraceExpected: 'A closing brace } is missing.',
  CloseBracketExpected: 'A closing bracket ] is missing.',
  EndOfFileExpected: 'Nothing may follow the closing brace.',
  UnexpectedEndOfString: 'This text has no closing quote.',
  UnexpectedEndOfComment: 'This comment has no end.',
  UnexpectedEndOfNumber: 'This number is not written as JSON writes numbers.',
  InvalidNumberFormat: 'This number is not written as JSON writes numbers.',
  InvalidUnicode: 'This is no escape that JSON knows; write \\\\ for a backslash.',
  InvalidEscapeCharacter: 'This is no escape that JSON knows; write \\\\ for a backslash.',
  InvalidCharacter: 'A line break or tab cannot stand in a text; write \\n or \\t.',
};
const otherSyntax = 'This is not JSON: a key or text needs double quotes.';
