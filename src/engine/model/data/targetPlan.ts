// How a target is given to its loss: the numbers as they are, a class number, or one value for each class.
import type { TargetEncoding } from '../../../planning/modelData';
import { nearestName } from '../../../planning/nearestName';
import { DataError } from './dataError';
import { fitShape, shapeText, type OutputPort } from './ports';

export interface TargetPlan {
  readonly encode: 'none' | 'classIndex' | 'oneHot';
  /** Number of classes; 0 where there are none (`none`). */
  readonly classes: number;
  /** Their names where the data holds names. */
  readonly names: readonly string[] | null;
  /** Shape of one example's tensor. */
  readonly shape: readonly number[];
}

/** Losses that compare two distributions over classes: their targets are one-hot. */
const distributionLosses = [
  'categoricalCrossentropy',
  'categoricalHinge',
  'kullbackLeiblerDivergence',
  'cosineProximity',
];

/** Decides the encoding of a target whose examples have the shape `row`. Throws DataError where nothing fits. */
export function planTarget(
  output: OutputPort,
  encoding: TargetEncoding,
  row: readonly number[],
  source: string,
): TargetPlan {
  const places = output.shape.slice(0, -1);
  const last = output.shape.at(-1) ?? null;
  const names = Array.isArray(encoding.classes) ? encoding.classes : null;
  const counted = typeof encoding.classes === 'number' ? encoding.classes : (names?.length ?? null);
  const classes = counted ?? (last === null || last === 1 ? 2 : last);
  const sparse = output.loss === 'sparseCategoricalCrossentropy';

  const whole = fitShape(row, output.shape);
  // A class number may stand alone or in a dimension of its own: [n] or [n, 1].
  const perPlace = fitShape(row, places) ?? fitShape(row, [...places, 1])?.slice(0, -1) ?? null;
  const encode = encoding.encode === 'auto' ? automatic() : encoding.encode;

  if (encode === 'oneHot' && perPlace !== null && (last === null || last === classes)) {
    return { encode, classes, names, shape: [...perPlace, classes] };
  }
  if (sparse && encode !== 'oneHot' && perPlace !== null && (last === null || classes <= last)) {
    return { encode: 'classIndex', classes, names, shape: [...perPlace, 1] };
  }
  if (!sparse && encode !== 'oneHot' && encode !== null && whole !== null) {
    return encode === 'none'
      ? { encode, classes: 0, names: null, shape: whole }
      : { encode, classes, names, shape: whole };
  }
  const asked = encoding.encode === 'auto' ? '' : ` as "${encoding.encode}"`;
  const loss = output.loss === null ? '' : ` with the loss ${output.loss}`;
  const counts = counted === null ? '' : ` and ${counted} classes`;
  throw new DataError(
    `${source} does not fit the model's output "${output.name}": one example has the shape ${shapeText(row)}${counts}, the output ${shapeText(output.shape)}${loss}, and the one cannot be encoded${asked} for the other.`,
  );

  function automatic(): TargetPlan['encode'] | null {
    if (sparse) return 'classIndex';
    if (whole !== null) return counted === null ? 'none' : 'classIndex';
    return output.loss !== null && distributionLosses.includes(output.loss) && perPlace !== null
      ? 'oneHot'
      : null;
  }
}

/** Checks a class number. Throws a plain Error, a predicate of the value. */
export function checkClass(value: number, classes: number): number {
  if (Number.isInteger(value) && value >= 0 && value < classes) return value;
  const what = Number.isInteger(value) ? `is class ${value}` : `is ${value}, not a class number`;
  throw new Error(`${what}; with ${classes} classes they are numbered 0 to ${classes - 1}`);
}

/** The number of a class by its name. Throws a plain Error, a predicate of the value. */
export function classByName(name: string, names: readonly string[]): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  const nearest = nearestName(name, names);
  const listed = names.slice(0, 10).map((known) => `"${known}"`);
  const all = listed.join(', ') + (names.length > listed.length ? ', …' : '');
  const hint = nearest === null ? `they are ${all}` : `did you mean "${nearest}"?`;
  throw new Error(`is "${name}", which is none of the classes; ${hint}`);
}
