// Opens the data of a config as examples to train and to validate on: scaled, encoded, in the model's own shapes.
import type { ModelData } from '../../../planning/modelData';
import { readCsvSources } from './csvSources';
import { DataError } from './dataError';
import { inputFeed, targetFeed, type Feed } from './feeds';
import { openNpySources } from './npySources';
import { fitShape, shapeText, type ModelPorts } from './ports';
import { scaleFor, type Scale, type ScaleFigures } from './scale';
import { commonCount, pair, type RawData, type Sources } from './sources';
import { allRows, splitRows } from './split';

/** Some rows of a set of examples. */
export interface Examples {
  readonly inputs: readonly Feed[];
  readonly targets: readonly Feed[];
  /** Numbers of the rows that belong to it. */
  readonly rows: Int32Array;
}

/** How values were prepared: what one needs to use the trained model on values of one's own. */
export interface Preprocessing {
  readonly inputs: readonly ({ readonly name: string } & Partial<ScaleFigures>)[];
  readonly targets: readonly {
    readonly name: string;
    readonly encode: string;
    readonly classes?: number | readonly string[];
  }[];
}

export interface OpenedData {
  readonly training: Examples;
  /** Null where nothing is kept for validation. */
  readonly validation: Examples | null;
  readonly preprocessing: Preprocessing;
  /** Closes the files. */
  close(): void;
}

/**
 * Opens a config's data.
 * @param folder what the paths in it are relative to
 * @param split share of the examples kept for validation (where no files are named for it), and the seed that draws them
 * @throws DataError naming the file, and the line or example
 */
export async function openExamples(
  data: ModelData,
  folder: string,
  ports: ModelPorts,
  split: { share: number; seed: number },
): Promise<OpenedData> {
  const raw =
    data.format === 'csv' ? await readCsvSources(data, folder, ports) : openNpySources(data, folder, ports);
  try {
    return openedData(raw, ports, split);
  } catch (error) {
    raw.close();
    throw error;
  }
}

function openedData(raw: RawData, ports: ModelPorts, split: { share: number; seed: number }): OpenedData {
  const count = commonCount(raw.training);
  const { training, validation } = splitRows(count, split.share, split.seed);
  const scales = raw.scalings.map((scaling, i) => {
    const rows = raw.training.inputs[i];
    return rows === undefined ? null : scaleFor(scaling, rows, training);
  });
  const feeds = feedsOf(raw.training, raw, ports, scales);
  const own = raw.validation;
  return {
    training: { ...feeds, rows: training },
    validation: own
      ? { ...feedsOf(own, raw, ports, scales), rows: allRows(commonCount(own)) }
      : validation && { ...feeds, rows: validation },
    preprocessing: preprocessingOf(raw, ports, scales),
    close: raw.close,
  };
}

function feedsOf(
  sources: Sources,
  raw: RawData,
  ports: ModelPorts,
  scales: readonly (Scale | null)[],
): { inputs: Feed[]; targets: Feed[] } {
  return {
    inputs: pair(ports.inputs, sources.inputs, 'data.inputs').map(({ port, given: rows }, i) => {
      const shape = fitShape(rows.shape, port.shape);
      if (shape === null) {
        throw new DataError(
          `${rows.name} does not fit the model's input "${port.name}": one example has the shape ${shapeText(rows.shape)}, the input ${shapeText(port.shape)}.`,
          { file: rows.name },
        );
      }
      return inputFeed(port, rows, shape, scales[i] ?? null);
    }),
    targets: pair(ports.outputs, sources.targets, 'data.targets').flatMap(({ port, given: rows }, i) =>
      raw.plans.slice(i, i + 1).map((plan) => targetFeed(port, rows, plan)),
    ),
  };
}

function preprocessingOf(raw: RawData, ports: ModelPorts, scales: readonly (Scale | null)[]): Preprocessing {
  return {
    inputs: ports.inputs.map(({ name }, i) => ({ name, ...scales[i]?.figures })),
    targets: pair(ports.outputs, raw.plans, 'data.targets').map(({ port: { name }, given: plan }) =>
      plan.encode === 'none'
        ? { name, encode: plan.encode }
        : { name, encode: plan.encode, classes: plan.names ?? plan.classes },
    ),
  };
}
