// The script that runs for a model.json entry, under the same preloaded hook as a user's own script.
import { engineContext } from './engineContext';
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

// A rejection that nobody handles is reported by the hook like any error of a script.
void main();
