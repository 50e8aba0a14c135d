// `batch-planner export`: writes the plan of a config as code or configuration for another framework.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ExportError } from '../export/exportError';
import {
  distributedTargets,
  type ExportedPlan,
  type ExportForm,
  type ExportTarget,
} from '../export/exportedPlan';
import { exportPlan, formOfPlan } from '../export/exportPlan';
import { readConfig } from '../planning/readConfig';
import { exitCodes, type ExitCode } from '../protocol/exitCodes';
import { fileTrouble } from '../protocol/fileTrouble';
import { readPlainText } from '../protocol/plainFile';

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
    if (!(error instanceof ExportError)) throw error;
    options.err.write(`${error.message}\n`);
    return exitCodes.usage;
  }
}

async function run({ configPath, to, form, outputFile, force, out, err, ...given }: ExportCommandOptions) {
  const worldSize = worldSizeOf(given.worldSize, to);
  const plan: ExportedPlan = { ...(await readPlan(path.resolve(configPath))), worldSize };
  const { files, notes } = exportPlan(plan, to, form ?? formOfPlan(plan));
  const [first, ...others] = files;
  if (outputFile === null) {
    out.write(first.text);
    for (const { name } of others) err.write(`${name} belongs to it: --output FILE writes both.\n`);
  } else {
    const main = path.resolve(outputFile);
    const written = [
      { file: main, text: first.text },
      ...others.map(({ name, text }) => ({ file: path.join(path.dirname(main), name), text })),
    ];
    for (const { file, text } of written) {
      await write(file, text, force);
      err.write(`Wrote ${file}\n`);
    }
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

async function readPlan(file: string): Promise<Omit<ExportedPlan, 'worldSize'>> {
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const sentence = missing ? `There is no file ${file}.` : `${file} cannot be read: ${fileTrouble(error)}.`;
    throw new ExportError(sentence, { cause: error });
  }
  const { config, problems } = readConfig(text);
  if (!config) {
    const lines = problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    throw new ExportError(lines.join('\n'));
  }
  const { entry, targetBatchSize, microbatchSize, training } = config;
  const optimizer = training.kind === 'model' ? training.optimizer : undefined;
  return { entry, targetBatchSize, microbatchSize, ...(optimizer && { optimizer }) };
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    // wx: never in place of what is there, also where it appears this moment.
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new ExportError(
      exists
        ? `${file} is there already: choose another --output, or add --force to replace it.`
        : `${file} cannot be written: ${fileTrouble(error)}.`,
      { cause: error },
    );
  }
}
