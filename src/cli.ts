// The command line: names, options and exit codes; each command's work is elsewhere.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import * as z from 'zod';
import { exportForms, exportTargets, type ExportForm, type ExportTarget } from './export/exportedPlan';
import { parseCheckpointSeconds, parseCheckpointUpdates } from './planning/checkpointInput';
import { shownLines } from './planning/shownText';
import { InputError } from './planning/userInput';
import { backendNames, type BackendName } from './protocol/backend';
import { exitCodes, type ExitCode } from './protocol/exitCodes';
import { fileTrouble } from './protocol/fileTrouble';
import { runExportCommand } from './supervise/exportCommand';
import { runGpuCommand } from './supervise/gpuCommand';
import { runPlanCommand } from './supervise/plan/planCommand';
import { createPlanStream } from './supervise/plan/planStream';
import { runRunsCommand } from './supervise/runs/runsCommand';
import { runSetupCommand } from './supervise/setupCommand';
import { runBackgroundTrainCommand } from './supervise/train/backgroundTraining';
import { runFollowCommand } from './supervise/train/followCommand';
import { createSupervisorLog } from './supervise/train/supervisorLog';
import { runTrainCommand } from './supervise/train/trainingSupervisor';
import type { CheckpointIntervals } from './supervise/train/trainingSupervisorJob';
import { createGpuView } from './terminal/gpuView';
import { helpLayout } from './terminal/helpLayout';
import { createPlanPrinter } from './terminal/planPrinter';
import { watchReader } from './terminal/reader';
import { createRunsView } from './terminal/runsView';
import { createTrainingDisplay } from './terminal/trainingDisplay';

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8')));
/** What is told as an error may hold names and messages of anyone's. */
const err = { write: (text: string) => process.stderr.write(shownLines(text)) };
const streams = { out: process.stdout, err };

/** Runs the command line; resolves to its exit code. Mistakes in the usage are printed, with code 2. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const program = new Command('batch-planner')
    .description(
      'Finds the largest microbatch that fits and trains TensorFlow.js models with exact gradient accumulation.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ writeErr: (text) => void err.write(text) })
    .configureHelp(helpLayout)
    .showHelpAfterError('Run batch-planner --help for the commands.');

  program
    .command('gpu')
    .description('show the GPUs of this machine and their memory')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--watch', 'go on, a reading every few seconds, until interrupted')
    .action(async (options: { json?: true; watch?: true }) => {
      const watch = options.watch ?? false;
      const view = createGpuView(process.stdout, { watch });
      code = await runGpuCommand({ ...streams, json: options.json ?? false, watch, view });
    });

  program
    .command('plan')
    .showHelpAfterError(
      "Run batch-planner plan --help for the options. The script's own arguments follow after --, like: batch-planner plan train.js -- --epochs 3",
    )
    .description(
      'measure the largest microbatch of a training script or model.json, and write its accumulation config',
    )
    .argument('<entry>', 'a training script (.js, .mjs, .cjs, .ts, .mts, .cts, .tsx) or a Layers model.json')
    .argument('[arguments...]', "the script's own arguments, after --")
    .option('--target-batch <n>', "examples per update (default: the script's own batch size)")
    .option(
      '--budget <amount>',
      'memory that the plan may use, like 8GB (default: what is free, less a headroom)',
    )
    .option(
      '--headroom <amount>',
      'memory to keep free where no budget is given, like 512MB (default: 5 % of the device, at least 256 MB)',
    )
    .addOption(new Option('--backend <name>', 'the backend to measure on').choices(backendNames))
    .addOption(
      new Option('--objective <what>', 'which size to plan')
        .choices(['largest', 'fastest'])
        .default('largest'),
    )
    .option(
      '--out <file>',
      'where the config goes (default: <entry name>.accumulation.json beside the entry)',
    )
    .option(
      '--folder <dir>',
      'folder that the script runs in (default: the one with the nearest package.json)',
    )
    .option(
      '--device <gpu>',
      'the GPU to plan for: bus id, UUID or number, as `batch-planner gpu` shows them',
    )
    .option(
      '--shape <shape>',
      "unknown dimensions of a model.json's input, like 224,224,3 or name=128",
      collect,
    )
    .option('--json', 'print one JSON document on stdout and nothing else')
    .addOption(
      new Option(
        '--stream',
        'print what happens as JSON, one message a line, on stdout; ends when stdin is closed',
      ).conflicts('json'),
    )
    .action(async (entry: string, scriptArguments: string[], options: PlanOptions) => {
      const reader = watchReader(options.stream ? process.stdin : null, [process.stdout, process.stderr]);
      code = await runPlanCommand({
        ...streams,
        entry,
        scriptArguments,
        targetBatch: options.targetBatch ?? null,
        budget: options.budget ?? null,
        headroom: options.headroom ?? null,
        backend: options.backend ?? null,
        objective: options.objective,
        outFile: options.out ?? null,
        folder: options.folder ?? null,
        device: options.device ?? null,
        shapes: options.shape ?? [],
        json: options.json ?? false,
        // With --json, stdout is for the document alone.
        display: options.stream
          ? createPlanStream(process.stdout)
          : createPlanPrinter(options.json ? process.stderr : process.stdout),
        productVersion: version,
        cancel: reader.signal,
        ...(options.stream ? { onOutput: (text) => process.stderr.write(text) } : {}),
      }).finally(() => reader.release());
    });

  program
    .command('train')
    .showHelpAfterError('Run batch-planner train --help for the options.')
    .description('train with accumulation, supervised, as an accumulation config says')
    .argument('<config>', 'an accumulation config, as `batch-planner plan` writes it')
    .option(
      '--run-dir <dir>',
      'the run folder (default: a new one under .batch-planner/runs beside the config)',
    )
    .option('--resume', 'go on with the run in --run-dir, or with the latest one')
    .option(
      '--checkpoint-seconds <s>',
      'seconds between checkpoints, which are put off where they would take more than 2 % of the time (default: 60)',
    )
    .option(
      '--checkpoint-updates <n>',
      'updates between checkpoints, whatever they cost (default: by time alone)',
    )
    .option('--background', 'train in a process that goes on when this terminal is closed, and show it here')
    // What --background starts: its folder is made, and what it says goes to a log.
    .addOption(new Option('--prepared <dir>').hideHelp().conflicts('background'))
    // Of the editor's task: what it tells in its terminal, and how it ends after a stop from elsewhere.
    .addOption(new Option('--in-editor').hideHelp().implies({ background: true }))
    .action(async (config: string, options: TrainOptions) => {
      const { runDir = null, resume = false, prepared, inEditor = false } = options;
      const intervals = checkpointIntervals(options);
      const reader = watchReader(null, [process.stdout, process.stderr]);
      const common = { configPath: config, runDir, resume, closed: reader.signal, ...intervals };
      const here = { err, display: createTrainingDisplay(process.stdout) };
      const training = options.background
        ? runBackgroundTrainCommand({ ...common, ...here, inEditor, cliFile: __filename })
        : runTrainCommand({
            ...common,
            ...(prepared === undefined ? here : { ...createSupervisorLog(process.stdout), prepared }),
            productVersion: version,
          });
      code = await training.finally(() => reader.release());
    });

  program
    .command('follow')
    .description('show a training that another process supervises')
    .argument('<run>', 'its name or its folder, as `batch-planner runs` shows them')
    .action(async (folder: string) => {
      const reader = watchReader(null, [process.stdout, process.stderr]);
      code = await runFollowCommand({
        folder,
        err,
        display: createTrainingDisplay(process.stdout),
        closed: reader.signal,
      }).finally(() => reader.release());
    });

  program
    .command('runs')
    .description('list the trainings in this folder and how they ended')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .action(async (options: { json?: true }) => {
      code = await runRunsCommand({
        out: process.stdout,
        folder: process.cwd(),
        json: options.json ?? false,
        view: createRunsView(process.stdout),
      });
    });

  program
    .command('export')
    .showHelpAfterError('Run batch-planner export --help for the options.')
    .description('write the plan of a config as code for another framework, or for several processes')
    .argument('<config>', 'an accumulation config, as `batch-planner plan` writes it')
    .addOption(new Option('--to <target>', 'what it is for').choices(exportTargets).makeOptionMandatory())
    .addOption(
      new Option('--form <form>', 'how a batch is cut and weighed: counted where tokens count, not examples')
        .choices(exportForms)
        .default(null, 'as planned'),
    )
    .option('--world-size <n>', 'processes that share each update')
    .option('--output <file>', 'where it goes; files that belong to it go beside it (default: stdout)')
    .option('--force', 'replace files that are there')
    .action(async (config: string, options: ExportOptions) => {
      code = await runExportCommand({
        ...streams,
        configPath: config,
        to: options.to,
        form: options.form,
        worldSize: options.worldSize ?? null,
        outputFile: options.output ?? null,
        force: options.force ?? false,
      });
    });

  program
    .command('setup')
    .description('make a working @tensorflow/tfjs-node-gpu')
    .addCommand(
      new Command('tensorflow')
        .copyInheritedSettings(program)
        .description(
          'install TensorFlow for Node.js into a folder, check it by one training step, undo it if that fails',
        )
        .addOption(new Option('--from <source>', 'where TensorFlow comes from').choices(['stock', 'pip']))
        .addOption(
          new Option('--package <name>', 'the pip package').choices(['tensorflow', 'tensorflow-cpu']),
        )
        .option(
          '--folder <dir>',
          'exactly this folder (default: the project that the current folder belongs to)',
        )
        .option('--force', 'replace a copy that already works')
        .action(async (options: SetupOptions) => {
          code = await runSetupCommand({
            ...streams,
            folder: options.folder === undefined ? null : path.resolve(options.folder),
            from: options.from ?? null,
            package: options.package ?? null,
            force: options.force ?? false,
          });
        }),
    );

  await program.parseAsync(argv);
  return code;
}

interface PlanOptions {
  targetBatch?: string;
  budget?: string;
  headroom?: string;
  backend?: BackendName;
  objective: 'largest' | 'fastest';
  out?: string;
  folder?: string;
  device?: string;
  shape?: string[];
  json?: true;
  stream?: true;
}

interface TrainOptions {
  runDir?: string;
  resume?: true;
  checkpointSeconds?: string;
  checkpointUpdates?: string;
  background?: true;
  inEditor?: true;
  prepared?: string;
}

interface ExportOptions {
  to: ExportTarget;
  form: ExportForm | null;
  worldSize?: string;
  output?: string;
  force?: true;
}

interface SetupOptions {
  from?: 'stock' | 'pip';
  package?: 'tensorflow' | 'tensorflow-cpu';
  folder?: string;
  force?: true;
}

function checkpointIntervals({ checkpointSeconds, checkpointUpdates }: TrainOptions): CheckpointIntervals {
  return {
    ...(checkpointSeconds === undefined
      ? {}
      : { checkpointSeconds: parseCheckpointSeconds(checkpointSeconds) }),
    ...(checkpointUpdates === undefined
      ? {}
      : { checkpointUpdates: parseCheckpointUpdates(checkpointUpdates) }),
  };
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

let outputFailed = false;
const end = (code: ExitCode): void => {
  process.exitCode = outputFailed ? exitCodes.failed : code;
};
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads may stop before the end, like `head`; a terminal that is closed gives EIO, and its hangup says what to do.
    if (error.code === 'EPIPE' || (error.code === 'EIO' && stream.isTTY) || outputFailed) return;
    outputFailed = true;
    end(exitCodes.failed);
    if (stream === process.stdout) err.write(`The output cannot be written: ${fileTrouble(error)}.\n`);
  });
}
main(process.argv).then(end, (error: unknown) => {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return end(error.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  const known = error instanceof InputError;
  err.write(
    `${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  end(known ? exitCodes.usage : exitCodes.failed);
});
