// `batch-planner export`: writes the plan of a config as code or configuration for another framework.
import path from 'node:path';
import { ExportError } from '../export/exportError';
import {
  distributedTargets,
  exportedPlanOf,
  type ExportForm,
  type ExportTarget,
} from '../export/exportedPlan';
import { exportPlan, fileNames, formOfPlan } from '../export/exportPlan';
import { exitCodes, type ExitCode } from '../protocol/exitCodes';
import { outputFileOf, writeFiles } from './exportFiles';
import { readConfigFile, TrainingConfigError } from './train/trainingSupervisorConfig';

export interface ExportCommandOptions {
  readonly configPath: string;
  readonly to: ExportTarget;
  /** Null: what the plan is, equal or unequal. */
  readonly form: ExportForm | null;
  /** As typed; null: not given. */
  readonly worldSize: string | null;
  /** Where the first file goes, further ones beside it; null: to stdout. */
  readonly outputFile: string | null;
  readonly force: boolean;
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/** Resolves to the exit code; what is wrong is told on `err`, in a sentence. */
export async function runExportCommand(options: ExportCommandOptions): Promise<ExitCode> {
  try {
    await run(options);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof ExportError || error instanceof TrainingConfigError)) throw error;
    options.err.write(`${error.message}\n`);
    return exitCodes.usage;
  }
}

async function run({ configPath, to, form, outputFile, force, out, err, ...given }: ExportCommandOptions) {
  const worldSize = worldSizeOf(given.worldSize, to);
  if (to === 'deepspeed' && form !== null && form !== 'equal')
    throw new ExportError('DeepSpeed runs equal microbatches only: leave --form out.');
  const { config } = await readConfigFile(configPath);
  const plan = exportedPlanOf(config, worldSize);
  const main = outputFile === null ? null : await outputFileOf(outputFile, fileNames[to]);
  const name = main === null ? undefined : path.basename(main);
  const { files, notes } = exportPlan(plan, to, form ?? formOfPlan(plan), name);
  const [first, ...others] = files;
  if (main === null) {
    out.write(first.text);
    for (const { name } of others) err.write(`${name} belongs to it: --output FILE writes both.\n`);
  } else {
    const written = [
      { file: main, text: first.text },
      ...others.map(({ name, text }) => ({ file: path.join(path.dirname(main), name), text })),
    ];
    await writeFiles(written, force);
    for (const { file } of written) err.write(`Wrote ${file}\n`);
  }
  for (const note of notes) err.write(`${note}\n`);
}

function worldSizeOf(text: string | null, to: ExportTarget): number {
  const distributed = distributedTargets.includes(to);
  if (text === null) {
    if (!distributed) return 1;
    throw new ExportError(`${to} needs the number of processes: add --world-size, like --world-size 4.`);
  }
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65_536)
    throw new ExportError(
      `The world size ${JSON.stringify(text)} is not a whole number from 1 to 65,536, like 4.`,
    );
  return value;
}
