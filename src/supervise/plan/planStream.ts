// `plan --stream`: planning as messages, one JSON object a line, for a program that shows it.
import { planTrialOf } from '../../planning/buildPlan';
import type { PlanFailure, PlanStreamMessage } from '../../protocol/planStream';
import type { ProfileProgress } from '../profile/profiler';
import type { PlanDisplay } from './planDisplay';

/** Writes each message as it comes. Nothing else may write to `out`. */
export function createPlanStream(out: { write(text: string): unknown }): PlanDisplay {
  const send = (message: PlanStreamMessage): void => {
    out.write(`${JSON.stringify(message)}\n`);
  };
  return {
    // The program that reads it has named the entry itself.
    started: () => undefined,
    progress: (progress) => {
      const message = messageOf(progress);
      if (message !== null) send(message);
    },
    finished: (plan, { path, needsData }) => {
      send({ type: 'finished', plan, configPath: path, needsData });
    },
    failed: (failure: PlanFailure) => send({ type: 'failed', failure }),
    end: () => undefined,
  };
}

/** The message that tells of a step; null where none does: the self-check's figure stands in the plan. */
function messageOf(progress: ProfileProgress): PlanStreamMessage | null {
  switch (progress.type) {
    case 'selfCheck':
      return null;
    case 'budget': {
      const { device, budgetBytes, isBackendLimit } = progress;
      return { type: 'budget', budget: { device, budgetBytes: budgetBytes ?? null, isBackendLimit } };
    }
    case 'trialEnded':
      return {
        type: 'trialEnded',
        trial: { ...planTrialOf(progress.trial), message: progress.message },
      };
    default:
      return progress;
  }
}
