// The script that runs for a model.json entry, under the same preloaded hook as a user's own script.
import { inspect } from 'node:util';
import { EntryError } from '../../planning/entryError';
import { DataError } from './data/dataError';
import { engineContext } from '../engineContext';
import { ModelFileError } from './modelFileError';
import { ModelLoadError } from './modelLoader';
import { runModelTask } from './modelTask';

async function main(): Promise<void> {
  const context = engineContext();
  if (context === null) throw new Error('This script is started by Batch Planner, with a job.');
  const { job } = context;
  if (job.model === undefined) throw new Error('The job names no training for its model.json.');
  const { tf } = await context.backend();
  await runModelTask(
    tf,
    {
      entry: job.entry,
      training: job.model.training,
      folder: job.model.folder,
      targetBatchSize: job.targetBatchSize,
      microbatchSize: job.mode === 'train' ? job.microbatchSize : null,
      measureOnly: job.mode === 'measure',
    },
    (message) => {
      console.log(message);
      context.report({ type: 'warning', warning: { code: 'note', message, layers: [] } });
    },
  );
}

/** Errors that are a sentence for people: what and where, with nothing that a stack would add. */
const sentences = [DataError, EntryError, ModelFileError, ModelLoadError];

// The hook has reported the error already, like any error of a script; Node would add a stack of the product's own.
process.on('uncaughtException', (error) => {
  const isSentence = sentences.some((kind) => error instanceof kind);
  process.stderr.write(`${isSentence ? error.message : inspect(error)}\n`);
  process.exit(1);
});

void main();
