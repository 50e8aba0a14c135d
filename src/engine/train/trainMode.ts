// The mode of an engine process that trains: the trainer behind the hook, and its settings.
import type { TrainJob } from '../../protocol/job';
import type { EngineContext, EngineMode } from '../engineContext';
import { guardOutput } from '../outputGuard';
import { RandomSource } from './randomSource';
import { Trainer } from './trainer';

/** How long the update in the making may take after the supervisor is gone, before the process is killed, in ms. */
const parentGoneGraceMs = 300_000;
/** The equality of fewer rows with their parts cannot be checked. */
const leastCheckRows = 2;

/** Makes the mode `train`. Nothing is opened before the script trains: launchers inherit the hook, too. */
export function createTrainer(job: TrainJob, context: EngineContext): EngineMode {
  const random = new RandomSource(job.seed);
  random.install();
  guardOutput();
  const trainer = new Trainer(job, context, random);
  return {
    settings: {
      microbatchSize: () => trainer.microbatchSize,
      targetBatchSize: job.targetBatchSize,
      // It takes its rows twice over: more than half a microbatch of them might not fit. A plan has checked before.
      selfCheck: job.firstMicrobatchSize >= 2 * leastCheckRows,
      selfCheckRows: Math.max(leastCheckRows, Math.floor(job.firstMicrobatchSize / 2)),
    },
    observer: trainer,
    scriptEnded: (code) => trainer.scriptEnded(code),
    scriptFailed: (failure) => trainer.scriptFailed(failure),
    parentGone: () => trainer.parentGone(),
    parentGoneGraceMs,
  };
}
