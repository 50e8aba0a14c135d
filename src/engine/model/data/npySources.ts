// Examples from .npy files: one file for each input and output.
import path from 'node:path';
import type { NpyData } from '../../../planning/modelData';
import { DataError } from './dataError';
import { openNpy } from './npyFile';
import type { ModelPorts } from './ports';
import { sizeOf, type Rows } from './rows';
import { pair, type RawData, type Sources } from './sources';
import { checkClass, planTarget, type TargetPlan } from './targetPlan';

/** Opens the files, whose paths are relative to `folder`. Throws DataError, with every file closed again. */
export function openNpySources(data: NpyData, folder: string, ports: ModelPorts): RawData {
  const opened: Rows[] = [];
  const open = (file: string): Rows => {
    const rows = openNpy(path.resolve(folder, file));
    opened.push(rows);
    return rows;
  };
  const close = () => opened.forEach((rows) => rows.close());
  try {
    const targets = pair(ports.outputs, data.targets, 'data.targets').map(({ port, given }) => {
      const rows = open(given.file);
      return { rows, plan: planTarget(port, given, rows.shape, rows.name) };
    });
    const training = {
      inputs: pair(ports.inputs, data.inputs, 'data.inputs').map(({ given }) => open(given.file)),
      targets: targets.map(({ rows }) => rows),
    };
    let validation: Sources | null = null;
    if (data.validation !== undefined) {
      const key = 'data.validation';
      validation = {
        inputs: pair(ports.inputs, data.validation.inputs, `${key}.inputs`).map(({ given }) => open(given)),
        targets: pair(ports.outputs, data.validation.targets, `${key}.targets`).map(({ given }) =>
          open(given),
        ),
      };
    }
    targets.forEach(({ rows, plan }, i) => {
      checkClasses(rows, plan);
      const kept = validation?.targets[i];
      if (kept !== undefined) checkClasses(kept, plan);
    });
    return { training, validation, scalings: data.inputs, plans: targets.map(({ plan }) => plan), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads all targets once: a class that does not exist must be told now, not in the midst of an epoch. */
function checkClasses(rows: Rows, plan: TargetPlan): void {
  if (plan.encode === 'none') return;
  const values = new Float32Array(sizeOf(rows.shape));
  for (let row = 0; row < rows.count; row++) {
    rows.read(row, values, 0);
    for (const value of values) {
      try {
        checkClass(value, plan.classes);
      } catch (error) {
        const what = (error as Error).message;
        throw new DataError(
          `${rows.name}, example ${row}: a target ${what}.`,
          { file: rows.name },
          { cause: error },
        );
      }
    }
  }
}
