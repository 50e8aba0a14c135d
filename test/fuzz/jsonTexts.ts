// Texts for fuzzing readers of JSON: arbitrary values, mutations of a sound one, and texts that are torn or damaged.
import fc from 'fast-check';

/** Enough to find what is rare, few enough to be quick; FUZZ_RUNS=5000 looks longer. */
export const fuzzRuns = (usual: number): fc.Parameters<unknown> => ({
  numRuns: Number(process.env['FUZZ_RUNS'] ?? usual),
  // A reader that hangs is reported with its seed and input, instead of the whole file running out of time.
  interruptAfterTimeLimit: 50_000,
  markInterruptAsFailure: false,
});

/** Keys that every object has already, or that mean something to JavaScript. */
const oddKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'length',
  '',
  '0',
  'a.b',
  '\u0000',
  '\ud800',
  '💥',
];
const oddNumbers = [0, -0, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e308, 5e-324];
const oddTexts = [
  ...oddKeys,
  '../outside',
  '/dev/zero',
  'C:\\x',
  'http://127.0.0.1:1/x',
  '$(touch x)',
  'x'.repeat(5000),
];

/** Has a length that cannot be compared: JavaScript makes no number of such an object. */
export const lengthless: fc.Arbitrary<unknown> = fc
  .constantFrom<unknown>({ toString: 1 }, { toString: {}, valueOf: null }, [{ toString: 1 }])
  .map((length) => ({ length }));

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom(...oddNumbers),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(...oddTexts),
  fc.string(),
  lengthless,
);

/** Any JSON, with keys that are known to the reader, odd, or anything. */
export function anyJson(keys: readonly string[]): fc.Arbitrary<unknown> {
  const key = fc.oneof(fc.constantFrom(...keys), fc.constantFrom(...oddKeys), fc.string({ maxLength: 8 }));
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 5 }),
      fc
        .array(fc.tuple(key, tie('value')), { maxLength: 6 })
        // Own properties all, also "__proto__".
        .map((entries) => Object.fromEntries(entries)),
    ),
  })).value;
}

type Change = (json: unknown) => unknown;

/** Replaces, removes, adds, doubles or wraps something at a place that a number picks. */
const change: fc.Arbitrary<Change> = fc
  .record({
    at: fc.nat(10_000),
    kind: fc.constantFrom('replace', 'remove', 'add', 'repeat', 'wrap', 'rename'),
    value: anyJson(['shape', 'dtype', 'paths', 'weights', 'kind', 'entry']),
    key: fc.constantFrom(...oddKeys),
  })
  .map(
    ({ at, kind, value, key }) =>
      (json) =>
        changed(json, at, kind, value, key),
  );

/** Places are counted depth first; the one that `at` names is changed. */
function changed(json: unknown, at: number, kind: string, value: unknown, key: string): unknown {
  const places: { holder: Record<string, unknown>; name: string }[] = [];
  const root: Record<string, unknown> = { root: structuredClone(json) };
  const visit = (holder: Record<string, unknown>): void => {
    for (const name of Object.keys(holder)) {
      places.push({ holder, name });
      const child = holder[name];
      if (typeof child === 'object' && child !== null) visit(child as Record<string, unknown>);
    }
  };
  visit(root);
  const place = places[at % places.length];
  if (place === undefined) return value;
  const { holder, name } = place;
  const old = holder[name];
  const isList = Array.isArray(holder);
  if (kind === 'remove' && !isList) Reflect.deleteProperty(holder, name);
  else if (kind === 'wrap') holder[name] = [old];
  else if (kind === 'add') Object.defineProperty(holder, isList ? String(holder.length) : key, own(value));
  else if (kind === 'repeat' && isList) holder.push(structuredClone(old));
  else if (kind === 'rename' && !isList) {
    Reflect.deleteProperty(holder, name);
    Object.defineProperty(holder, key, own(old));
  } else holder[name] = value;
  return root['root'];
}

const own = (value: unknown): PropertyDescriptor => ({
  value,
  enumerable: true,
  configurable: true,
  writable: true,
});

/** A sound value with one to three changes. */
export function mutationsOf(sound: unknown): fc.Arbitrary<unknown> {
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((json, each) => each(json), sound));
}

type Damage = (text: string) => string;

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.constant<Damage>((text) => text),
  // Torn off.
  fc.nat(100_000).map<Damage>((at) => (text) => text.slice(0, at % (text.length + 1))),
  // A piece left out, doubled, or replaced.
  fc
    .tuple(
      fc.nat(100_000),
      fc.nat(40),
      fc.oneof(fc.string(), fc.constantFrom('{', '[', '"', '\\', '/*', '//', '\r')),
    )
    .map<Damage>(([at, length, instead]) => (text) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + instead + text.slice(start + length);
    }),
  fc.constant<Damage>((text) => `\uFEFF${text}`),
  fc.constant<Damage>((text) => `${text}\0`),
  fc.constantFrom(10, 199, 201, 20_000).map<Damage>((depth) => (text) => '[{"a":'.repeat(depth) + text),
  fc
    .constantFrom(10, 100, 20_000)
    .map<Damage>((depth) => (text) => '['.repeat(depth) + text + ']'.repeat(depth)),
  // The last of several equal keys counts, to most.
  fc
    .constantFrom(...oddKeys, 'entry', 'format')
    .map<Damage>(
      (key) => (text) => text.replace('{', `{${JSON.stringify(key)}:1,${JSON.stringify(key)}:{},`),
    ),
  fc
    .constantFrom('1e999', '-1e999', '0x10', '1'.repeat(400), 'NaN', '1.', '-')
    .map<Damage>((number) => (text) => text.replace(/\d+/, number)),
  fc.constant<Damage>((text) => text.replaceAll('\n', '\r')),
);

/** The text of a value, whole or damaged. */
export function damagedText(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return fc
    .tuple(value, fc.constantFrom(undefined, 2), fc.array(damage, { maxLength: 2 }))
    .map(([json, indent, damages]) =>
      damages.reduce((text, each) => each(text), JSON.stringify(json, null, indent) ?? ''),
    );
}

/** All three kinds. */
export function fuzzedJson(sound: unknown, keys: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: damagedText(mutationsOf(sound)) },
    { weight: 2, arbitrary: damagedText(anyJson(keys)) },
    { weight: 1, arbitrary: damagedText(fc.constant(sound)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  );
}
