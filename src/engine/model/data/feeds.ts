// A feed gives one input or target of a batch: it takes rows, scales or encodes them, and fills a tensor's values.
import type { TargetPlan } from './targetPlan';
import { DataError } from './dataError';
import type { InputPort, OutputPort } from './ports';
import { sizeOf, type Rows, type Values } from './rows';
import type { Scale } from './scale';

export interface Feed {
  /** Name of the model's input or output. */
  readonly name: string;
  /** Shape of one example's tensor. */
  readonly shape: readonly number[];
  /** Fills `into` with the examples `rows`, one after the other. */
  fill(rows: ArrayLike<number>, into: Values): void;
}

/** An input: values as they are in the rows, scaled. Throws DataError where a value is none that an Embedding knows. */
export function inputFeed(port: InputPort, rows: Rows, shape: readonly number[], scale: Scale | null): Feed {
  const size = sizeOf(shape);
  return {
    name: port.name,
    shape,
    fill(wanted, into) {
      for (let i = 0; i < wanted.length; i++) {
        const row = wanted[i] ?? 0;
        const at = i * size;
        rows.read(row, into, at);
        scale?.apply(into, at);
        if (port.below !== null) checkWhole(port, port.below, rows.name, row, into.subarray(at, at + size));
      }
    },
  };
}

/** A target, encoded as planned; class numbers have been checked when the data was opened. */
export function targetFeed(port: OutputPort, rows: Rows, plan: TargetPlan): Feed {
  const size = sizeOf(plan.shape);
  const direct = plan.encode !== 'oneHot';
  const classes = new Float32Array(direct ? 0 : size / plan.classes);
  return {
    name: port.name,
    shape: plan.shape,
    fill(wanted, into) {
      if (!direct) into.fill(0);
      for (let i = 0; i < wanted.length; i++) {
        const row = wanted[i] ?? 0;
        if (direct) {
          rows.read(row, into, i * size);
          continue;
        }
        rows.read(row, classes, 0);
        classes.forEach((value, place) => {
          into[i * size + place * plan.classes + value] = 1;
        });
      }
    },
  };
}

/** An Embedding looks its input up in a table: beyond its end some backends read other memory. */
function checkWhole(port: InputPort, below: number, source: string, row: number, values: Values): void {
  const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= below);
  if (wrong === undefined) return;
  throw new DataError(
    `${source}, example ${row}: the value ${wrong} is none that the input "${port.name}" knows; its Embedding takes whole numbers from 0 to ${below - 1}.`,
    { file: source },
  );
}
