// What people type on the command line or in a box: budgets, target batches, shapes. Each mistake gets one sentence.
import { formatCount } from './units';

/** Something typed that cannot be used; `message` is one sentence that says what is wrong and what to write. */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(
    readonly kind: 'budget' | 'headroom' | 'targetBatch' | 'shape' | 'checkpoints',
    message: string,
  ) {
    super(message);
  }
}

/** Name of the input that a shape is for; `*`: every input that has unknown dimensions. */
export const anyInput = '*';

/** Largest target batch: beyond 2²⁴ a float32, which tensors count in, no longer tells neighbouring numbers apart. */
export const largestTargetBatch = 2 ** 24;

/** A map, as every object has a "constructor" too. */
const unitBytes: ReadonlyMap<string, number> = new Map([
  ['kB', 2 ** 10],
  ['KB', 2 ** 10],
  ['MB', 2 ** 20],
  ['GB', 2 ** 30],
  ['TB', 2 ** 40],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);
/** Less than this is a forgotten unit ("8"), not a budget: no backend starts in it. */
const smallestAmount = 1e6;
const largestAmount = 1e15;

/**
 * Bytes of a budget: `8GB`, `6.5GB`, `8GiB` (2³⁰ each, as a card of 8 GB has them), `512MB` (2²⁰), or plain bytes. A blank before
 * the unit is refused, because a shell would cut `--budget 8 GB` after the 8.
 * @throws InputError
 */
export function parseBudget(text: string): number {
  return parseMemory(text, 'budget');
}

/**
 * Bytes to keep free, written as a budget is; here 0 is one, too.
 * @throws InputError
 */
export function parseHeadroom(text: string): number {
  return text.trim() === '0' ? 0 : parseMemory(text, 'headroom');
}

function parseMemory(text: string, kind: 'budget' | 'headroom'): number {
  const shown = JSON.stringify(text);
  const written = /^(\d+(?:\.\d+)?)(\s*)([A-Za-z]*)$/.exec(text.trim());
  if (written === null) {
    const what = /^-\s*\d/.test(text.trim()) ? 'is below zero' : 'is not an amount of memory';
    throw new InputError(kind, `The ${kind} ${shown} ${what}: write it like 8GB, 7.5GiB or 512MB.`);
  }
  const [, amount = '', blank = '', unit = ''] = written;
  const factor = unit === '' ? 1 : unitBytes.get(unit);
  if (factor === undefined || blank !== '') {
    const meant = [...unitBytes.keys()].find((name) => {
      const short = unit.toLowerCase();
      return name.toLowerCase() === short || name.toLowerCase() === `${short}b`;
    });
    const proposal =
      meant === undefined ? 'a number and one of MB, GB, MiB, GiB, like 8GB' : `${amount}${meant}`;
    throw new InputError(
      kind,
      `The ${kind} ${shown} is not written as an amount of memory: write ${proposal}.`,
    );
  }
  const bytes = Math.floor(Number(amount) * factor);
  if (bytes < smallestAmount) {
    const meant = unit === '' && Number(amount) > 0 ? `, for example ${amount}GB` : ', like 8GB or 512MB';
    throw new InputError(
      kind,
      `The ${kind} ${shown} is less than 1 MB: write an amount of memory with its unit${meant}.`,
    );
  }
  if (bytes > largestAmount) {
    throw new InputError(
      kind,
      `The ${kind} ${shown} is more than any device has: write it like 8GB or 512MB.`,
    );
  }
  return bytes;
}

/** Groups of three digits, with the same separator between all of them: a comma, a blank, an apostrophe, `_`. */
const grouped = /^(\+?\d{1,3})(?:([,\u2009\u202f\u00a0 '’_])\d{3})(?:\2\d{3})*(?![\d,'’_])/;

/** The number that a text begins with, without separators between its thousands: `1,024 MB` becomes `1024 MB`. */
export function withoutSeparators(text: string): string {
  return text.replace(grouped, (number) => number.replace(/[^+\d]/g, ''));
}

/**
 * Examples per optimizer update, as typed: `2048`, or with separators between thousands as they are shown: `2,048`. A
 * point is none: 1.024 may be meant as a fraction.
 * @throws InputError
 */
export function parseTargetBatch(text: string): number {
  const trimmed = withoutSeparators(text.trim());
  const range = `a whole number from 1 to ${formatCount(largestTargetBatch)}`;
  const refuse = (what: string): never => {
    throw new InputError(
      'targetBatch',
      `The target batch size ${JSON.stringify(text)} ${what}: write ${range}.`,
    );
  };
  const value = Number(trimmed);
  if (trimmed === '' || Number.isNaN(value)) return refuse('is not a number');
  if (value < 0) return refuse('is below zero');
  if (value === 0) return refuse('is zero');
  if (value > largestTargetBatch) return refuse('is too large');
  if (!Number.isInteger(value)) return refuse('is not whole');
  if (!/^\+?\d+$/.test(trimmed)) return refuse('is not written in digits');
  return value;
}

/**
 * Shapes as typed with `--shape`, once for each input: `224,224,3`, or `input_1=224,224,3` where there are several.
 * Gives the config's `training.shapes`: by input name, or by `*` where no name was given.
 * @throws InputError
 */
export function parseShapes(texts: readonly string[]): Record<string, number[]> {
  const shapes = new Map<string, number[]>();
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    const name = at < 0 ? anyInput : text.slice(0, at).trim();
    const dimensions = text.slice(at + 1).split(',');
    const shape = dimensions.map((dimension) => Number(dimension.trim()));
    const shown = JSON.stringify(text);
    const bad = dimensions.findIndex((dimension, index) => {
      const size = shape[index] ?? 0;
      return !/^\s*\d+\s*$/.test(dimension) || size < 1 || size > 2 ** 31 - 1;
    });
    if (bad >= 0 || name === '') {
      const what =
        name === '' ? 'has no name before the =' : `has ${JSON.stringify(dimensions[bad])} for a dimension`;
      throw new InputError(
        'shape',
        `The shape ${shown} ${what}: write whole numbers above 0 without the batch, like 224,224,3 or input_1=224,224,3.`,
      );
    }
    if (shapes.has(name)) {
      const which = name === anyInput ? 'without a name' : `of ${name}`;
      throw new InputError('shape', `The shape ${which} is given twice: give each input one.`);
    }
    shapes.set(name, shape);
  }
  return Object.fromEntries(shapes);
}
