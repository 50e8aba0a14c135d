// Turns what the schema objects to into plain sentences, one for each mistake.
import type { z } from 'zod';
import { configJsonSchema } from './configSchema';
import { nearestName } from './nearestName';
import { shownValue } from './shownValue';

export interface IssueText {
  readonly path: readonly PropertyKey[];
  /** Set where the sentence is about a key of the object at `path`, not about a value. */
  readonly key?: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** One sentence for each issue of a value that was read from a config; at most `limit` of them. */
export function describeIssues(issues: readonly Issue[], value: unknown, limit: number): IssueText[] {
  const texts: IssueText[] = [];
  for (const issue of issues) {
    if (texts.length >= limit) break;
    texts.push(...describeIssue(issue, value, limit - texts.length));
  }
  return texts;
}

function describeIssue(issue: Issue, value: unknown, limit: number): IssueText[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, limit).map((key) => ({ path, key, message: unknownKey(key, path) }));
  }
  const name = nameOf(path);
  const found = valueAt(value, path);
  if (found === undefined && path.length > 0) {
    const about = descriptionAt(path);
    return [{ path, message: about === null ? `${name} is missing.` : `${name} is missing: ${about}` }];
  }
  return [{ path, message: sentence(issue, name, found) }];
}

function sentence(issue: Issue, name: string, found: unknown): string {
  switch (issue.code) {
    case 'invalid_value':
      return oneOf(name, issue.values, found);
    case 'invalid_union':
      return unionSentence(issue, name, found);
    default:
  }
  // The schema's own sentences are for people; zod's defaults begin with one of these words.
  if (!/^(Invalid|Too|Unrecognized)\b/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `${name} must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(found)}.`;
    case 'too_small':
      return `${name} must ${issue.inclusive === false ? 'be more than' : 'be at least'} ${issue.minimum}${unit(issue.origin)}.`;
    case 'too_big':
      return `${name} must ${issue.inclusive === false ? 'be less than' : 'be at most'} ${issue.maximum}${unit(issue.origin)}.`;
    default:
      return `${name} is not written as it must be (${issue.message}).`;
  }
}

function unionSentence(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  name: string,
  found: unknown,
): string {
  if (issue.discriminator !== undefined && 'options' in issue && Array.isArray(issue.options)) {
    return oneOf(name, issue.options, found);
  }
  // Of several forms that are allowed, the one whose objection lies deepest is the one that was meant.
  const forms = issue.errors.flatMap((errors) => errors.slice(0, 1));
  const deepest = forms.sort((a, b) => b.path.length - a.path.length)[0];
  if (deepest === undefined) return `${name} has a value that cannot be used.`;
  const inner = nameOf([...issue.path, ...deepest.path]);
  return sentence(deepest, inner, valueAt(found, deepest.path));
}

function oneOf(name: string, allowed: readonly unknown[], found: unknown): string {
  const list = allowed.map((option) =>
    typeof option === 'bigint' ? String(option) : JSON.stringify(option),
  );
  const names = allowed.filter((option) => typeof option === 'string');
  const meant = typeof found === 'string' ? nearestName(found, names) : null;
  const question = meant === null ? '' : ` Did you mean ${JSON.stringify(meant)}?`;
  return `${name} must be ${list.length === 1 ? '' : 'one of '}${list.join(', ')}; it is ${shownValue(found)}.${question}`;
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(path);
  const meant = nearestName(key, known);
  const where = path.length === 0 ? '' : ` in ${nameOf(path)}`;
  const hint =
    meant === null
      ? `Known keys are ${known.map((name) => JSON.stringify(name)).join(', ')}.`
      : `Did you mean ${JSON.stringify(meant)}?`;
  return `${shownValue(key)} is not a known key${where}. ${hint}`;
}

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object in braces',
  array: 'a list in brackets',
  record: 'an object in braces',
  null: 'null',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'object') return 'an object';
  return String(value);
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' entries long' : '';
}

/** `"training.arguments[2]"`, or `The config` for the whole. */
function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'The config';
  const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return shownValue(name.replace(/^\./, ''));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Object.getOwnPropertyDescriptor(at, part)?.value;
  }
  return at;
}

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly additionalProperties?: Described | boolean;
  readonly oneOf?: readonly Described[];
  readonly anyOf?: readonly Described[];
  readonly allOf?: readonly Described[];
}

/** Made once, where it is first needed: it takes longer than all the rest. */
let wholeSchema: Described | undefined;

/** The parts of the JSON Schema that a path leads to: several where there are several forms. */
function schemasAt(path: readonly PropertyKey[]): Described[] {
  let at = forms((wholeSchema ??= configJsonSchema()));
  for (const part of path) {
    at = at.flatMap((schema) => {
      const { properties, items, additionalProperties } = schema;
      const next = typeof part === 'number' ? items : properties?.[String(part)];
      const other = typeof additionalProperties === 'object' ? additionalProperties : undefined;
      const found = next ?? other;
      return found === undefined ? [] : forms(found);
    });
  }
  return at;
}

function forms(schema: Described): Described[] {
  const inner = [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap(forms)];
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  return [...new Set(schemasAt(path).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function descriptionAt(path: readonly PropertyKey[]): string | null {
  return schemasAt(path).find((schema) => schema.description !== undefined)?.description ?? null;
}
