// A model's inputs and outputs as the data sees them, and how the shape of one example is brought to theirs.
import { anyInput } from '../../../planning/userInput';
import { DataError } from './dataError';
import { sizeOf } from './rows';

/** Shape without the batch; null: a dimension that the model leaves open. */
export type OpenShape = readonly (number | null)[];

export interface InputPort {
  readonly name: string;
  readonly shape: OpenShape;
  /** Values must be whole numbers below this (an Embedding's input); null: any number. */
  readonly below: number | null;
}

export interface OutputPort {
  readonly name: string;
  readonly shape: OpenShape;
  /** Name of its loss; null for a loss that is a function. */
  readonly loss: string | null;
}

export interface ModelPorts {
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly OutputPort[];
}

/**
 * The shape that an example of shape `row` takes in a port, or null where it does not fit: equal where they agree,
 * row-major reshaped where the number of values is equal, and one open dimension found from the number of values.
 */
export function fitShape(row: readonly number[], port: OpenShape): number[] | null {
  const agrees = row.length === port.length && row.every((size, i) => port[i] === null || port[i] === size);
  if (agrees) return [...row];
  const known = sizeOf(port.map((size) => size ?? 1));
  const open = port.filter((size) => size === null).length;
  const size = sizeOf(row);
  if (open === 0) return size === known ? port.map((dimension) => dimension ?? 1) : null;
  if (open > 1 || size % known !== 0) return null;
  return port.map((dimension) => dimension ?? size / known);
}

/** A shape with the open dimensions that `shapes` (the config's, or `--shape`) fills in. Throws DataError where they disagree. */
export function withGivenShape(
  port: InputPort,
  shapes: Readonly<Record<string, readonly number[]>>,
): InputPort {
  // A model may call its input "constructor", which every object has.
  const named = Object.hasOwn(shapes, port.name) ? shapes[port.name] : undefined;
  const given = named ?? (port.shape.includes(null) ? shapes[anyInput] : undefined);
  if (given === undefined) return port;
  if (fitsKnown(given, port.shape)) return { ...port, shape: given };
  throw new DataError(
    `The shape ${given.join(',')} does not fit the input "${port.name}", whose shape is ${shapeText(port.shape)} (without the batch).`,
  );
}

/** Names in `shapes` that no input has are a mistake. */
export function checkShapeNames(
  ports: readonly InputPort[],
  shapes: Readonly<Record<string, unknown>>,
): void {
  const names = ports.map((port) => port.name);
  const unknown = Object.keys(shapes).find((name) => name !== anyInput && !names.includes(name));
  if (unknown === undefined) return;
  throw new DataError(
    `A shape is given for the input "${unknown}", but the model's inputs are: ${names.map((name) => `"${name}"`).join(', ')}.`,
  );
}

/** A shape for people: `[28, 28, ?]`. */
export function shapeText(shape: OpenShape): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

function fitsKnown(given: readonly number[], shape: OpenShape): boolean {
  return given.length === shape.length && given.every((size, i) => shape[i] === null || shape[i] === size);
}
