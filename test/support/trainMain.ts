// A program for tests: `train` as the command line runs it, with a checkpoint interval of the test's own.
import { parseArgs } from 'node:util';
import { runTrainCommand } from '../../src/supervise/train/trainingSupervisor';
import { createTrainingDisplay } from '../../src/terminal/trainingDisplay';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    resume: { type: 'boolean', default: false },
    'run-dir': { type: 'string' },
    seed: { type: 'string' },
    'checkpoint-seconds': { type: 'string', default: '60' },
    'checkpoint-updates': { type: 'string' },
  },
});

void runTrainCommand({
  configPath: positionals[0] ?? '',
  runDir: values['run-dir'] ?? null,
  resume: values.resume,
  err: process.stderr,
  display: createTrainingDisplay(process.stdout),
  ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
  productVersion: '0.0.0-test',
  checkpointSeconds: Number(values['checkpoint-seconds']),
  ...(values['checkpoint-updates'] === undefined
    ? {}
    : { checkpointUpdates: Number(values['checkpoint-updates']) }),
}).then((code) => {
  process.exitCode = code;
});
