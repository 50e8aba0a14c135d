// Examples from CSV files: columns for each input and output, read in one pass.
import path from 'node:path';
import type { CsvData } from '../../../planning/modelData';
import { resolveColumns } from './columns';
import { readCsv, readNumber, tableRows, type FieldReader, type TableLayout } from './csvTable';
import type { ModelPorts } from './ports';
import { pair, type RawData, type Sources } from './sources';
import { checkClass, classByName, planTarget, type TargetPlan } from './targetPlan';

/** Which columns make which input and output; decided once the first line told how many there are. */
interface Layout {
  readonly inputs: readonly (readonly number[])[];
  readonly targets: readonly { readonly columns: readonly number[]; readonly plan: TargetPlan }[];
}

/** Reads the files, whose paths are relative to `folder`. Throws DataError with file and line. */
export async function readCsvSources(data: CsvData, folder: string, ports: ModelPorts): Promise<RawData> {
  const inputs = pair(ports.inputs, data.inputs, 'data.inputs');
  const targets = pair(ports.outputs, data.targets, 'data.targets');
  let layout: Layout | null = null;

  const read = async (files: readonly string[]): Promise<Sources> => {
    const absolute = files.map((file) => path.resolve(folder, file));
    const name = absolute.join(', ');
    const decide: TableLayout = (width, header) => {
      const found = layoutOf(width, header, name);
      layout ??= found;
      // Validation files may have their columns in another order, but not more or fewer of them.
      if (sizesOf(found) !== sizesOf(layout)) {
        throw new Error('the number of columns differs from that of the training files');
      }
      return [
        ...found.inputs.flatMap((columns) => columns.map((column) => ({ column, read: readNumber }))),
        ...found.targets.flatMap(({ columns, plan }) =>
          columns.map((column) => ({ column, read: readerOf(plan) })),
        ),
      ];
    };
    const table = await readCsv(absolute, data, decide);
    const widths = layout ?? { inputs: [], targets: [] };
    let first = 0;
    const rowsOf = (size: number) => {
      first += size;
      return tableRows(table, name, first - size, size);
    };
    return {
      inputs: widths.inputs.map((columns) => rowsOf(columns.length)),
      targets: widths.targets.map(({ columns }) => rowsOf(columns.length)),
    };
  };

  const layoutOf = (width: number, header: readonly string[] | null, name: string): Layout => {
    const targetColumns = targets.map(({ given }) => resolveColumns(given.columns, width, header));
    const taken = new Set(targetColumns.flat());
    const rest = Array.from({ length: width }, (_, column) => column).filter((column) => !taken.has(column));
    return {
      inputs: inputs.map(({ given }) =>
        given.columns ? resolveColumns(given.columns, width, header) : rest,
      ),
      targets: targets.map(({ port, given }, i) => {
        const columns = targetColumns[i] ?? [];
        const row = columns.length === 1 ? [] : [columns.length];
        return { columns, plan: planTarget(port, given, row, `The target in ${name}`) };
      }),
    };
  };

  const training = await read(data.files);
  const validation = data.validation ? await read(data.validation.files) : null;
  // The layout was decided when the first line was read; a file without lines is an error of its own.
  const decided = layout as Layout | null;
  return {
    training,
    validation,
    scalings: data.inputs,
    plans: (decided?.targets ?? []).map(({ plan }) => plan),
    close: () => undefined,
  };
}

function sizesOf({ inputs, targets }: Layout): string {
  return [...inputs, ...targets.map(({ columns }) => columns)].map((columns) => columns.length).join();
}

/** Reads a target's field: a number, a class number within its range, or the name of a class. */
function readerOf({ encode, classes, names }: TargetPlan): FieldReader {
  if (encode === 'none') return readNumber;
  if (names !== null) return (text) => classByName(text, names);
  return (text) => checkClass(readNumber(text), classes);
}
