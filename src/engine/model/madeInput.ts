// Made examples of a model's own shapes, so that memory can be planned before there is any data.
import type { Examples } from './data/examples';
import { DataError } from './data/dataError';
import type { Feed } from './data/feeds';
import { shapeText, type InputPort, type ModelPorts, type OutputPort } from './data/ports';
import { sizeOf, type Values } from './data/rows';
import { allRows } from './data/split';
import { RandomSource } from '../train/randomSource';

/** Values drawn before they repeat; a prime, so that examples differ although the values do. */
const drawn = 1_000_003;

/**
 * Made inputs and targets.
 * @param ports inputs with the shapes that were given filled in
 * @param outputShape shape (without the batch) of an output for these inputs, where the model itself leaves it open
 * @throws DataError listing what is unknown and how to tell it
 */
export function makeExamples(
  ports: ModelPorts,
  count: number,
  outputShape: (output: OutputPort) => readonly number[],
): Examples {
  const unknown = ports.inputs.filter((port) => port.shape.includes(null));
  if (unknown.length > 0) throw new DataError(askForShapes(unknown, ports.inputs.length));
  return {
    inputs: ports.inputs.map((port, i) => {
      const shape = port.shape.map((size) => size ?? 1);
      const { below } = port;
      // Ids as an Embedding takes them; elsewhere pixels, scaled figures and the like: 0 to 1.
      return madeFeed(
        port.name,
        shape,
        i + 1,
        below === null ? (random) => random : (random) => Math.floor(random * below),
      );
    }),
    targets: ports.outputs.map((port, i) => madeTarget(port, outputShape(port), 1001 + i)),
    rows: allRows(count),
  };
}

function askForShapes(unknown: readonly InputPort[], inputs: number): string {
  const listed = unknown.map((port) => `"${port.name}" ${shapeText(port.shape)}`).join(', ');
  const flags = unknown.map((port) => {
    const example = port.shape.map((size) => size ?? 128).join(',');
    return inputs === 1 ? `--shape ${example}` : `--shape ${port.name}=${example}`;
  });
  const which = unknown.length === 1 ? 'The input' : 'The inputs';
  return `${which} ${listed} ${unknown.length === 1 ? 'has' : 'have'} unknown dimensions (?, without the batch). Tell the largest that training will see, for example: ${flags.join(' ')} (or "training.shapes" in the config).`;
}

/** A target that the loss accepts: class numbers, one-hot rows, 0 or 1, or numbers. */
function madeTarget(port: OutputPort, shape: readonly number[], seed: number): Feed {
  const last = shape.at(-1) ?? 1;
  switch (port.loss) {
    case 'sparseCategoricalCrossentropy':
      return madeFeed(port.name, [...shape.slice(0, -1), 1], seed, (random) => Math.floor(random * last));
    case 'categoricalCrossentropy':
    case 'categoricalHinge':
    case 'kullbackLeiblerDivergence':
      return oneHotFeed(port.name, shape, seed);
    case 'binaryCrossentropy':
      return madeFeed(port.name, shape, seed, (random) => (random < 0.5 ? 0 : 1));
    case 'hinge':
    case 'squaredHinge':
      return madeFeed(port.name, shape, seed, (random) => (random < 0.5 ? -1 : 1));
    default:
      return madeFeed(port.name, shape, seed, (random) => random);
  }
}

function madeFeed(
  name: string,
  shape: readonly number[],
  seed: number,
  value: (random: number) => number,
): Feed {
  return {
    name,
    shape,
    fill(_rows, into) {
      fillOnce(into, Math.min(drawn, into.length), seed, value);
      // Random numbers of a whole batch would take longer than the batch itself.
      for (let at = drawn; at < into.length; at *= 2) into.copyWithin(at, 0, Math.min(at, into.length - at));
    },
  };
}

function oneHotFeed(name: string, shape: readonly number[], seed: number): Feed {
  const last = shape.at(-1) ?? 1;
  return {
    name,
    shape,
    fill(rows, into) {
      const classes = new Float32Array((rows.length * sizeOf(shape)) / last);
      fillOnce(classes, classes.length, seed, (random) => Math.floor(random * last));
      into.fill(0);
      classes.forEach((one, place) => {
        into[place * last + one] = 1;
      });
    },
  };
}

/** Seeded, so that planning twice measures the same, and apart from Math.random, which is the model's. */
function fillOnce(into: Values, count: number, seed: number, value: (random: number) => number): void {
  const source = new RandomSource(seed);
  for (let i = 0; i < count; i++) into[i] = value(source.random());
}
