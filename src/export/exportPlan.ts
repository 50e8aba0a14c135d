// Takes a plan to a target: the one place that knows which program belongs to which.
import { formatCount } from '../planning/units';
import { accelerateConfig } from './accelerateConfig';
import { deepspeedExport } from './deepspeed';
import { ExportError } from './exportError';
import {
  distributedTargets,
  type Export,
  type ExportedFile,
  type ExportedPlan,
  type ExportForm,
  type ExportTarget,
} from './exportedPlan';
import { equalMicrobatch, isEqual } from './planText';
import { accelerateProgram, ddpProgram } from './python/ddpProgram';
import { kerasProgram } from './python/kerasProgram';
import { tensorflowProgram } from './python/tensorflowProgram';
import { torchProgram } from './python/torchProgram';
import { tfjsProgram } from './tfjs';

/** Targets that this version writes. */
export const offeredTargets = [
  'tfjs',
  'tensorflow',
  'keras',
  'pytorch',
  'ddp',
  'accelerate',
  'deepspeed',
] as const satisfies readonly ExportTarget[];
export type OfferedTarget = (typeof offeredTargets)[number];

/** The form that a plan has where none is asked for. */
export function formOfPlan(plan: ExportedPlan): ExportForm {
  return isEqual(plan) ? 'equal' : 'unequal';
}

/**
 * The files of a plan for a target.
 * @throws ExportError where plan, form and target do not go together
 */
export function exportPlan(plan: ExportedPlan, target: OfferedTarget, form: ExportForm): Export {
  const many = distributedTargets.includes(target);
  const offered = offeredTargets.filter((one) => distributedTargets.includes(one));
  if (!many && plan.worldSize > 1)
    throw new ExportError(
      `${target} runs in one process: leave --world-size out, or choose one of ${offered.join(', ')}.`,
    );
  if (plan.worldSize > plan.targetBatchSize)
    throw new ExportError(
      `${formatCount(plan.worldSize)} processes cannot share ${formatCount(plan.targetBatchSize)} examples: choose at most as many processes as examples.`,
    );
  if (target === 'deepspeed') return deepspeedExport(plan);
  if (target === 'tfjs') return tfjsProgram(plan, form);
  if (form !== 'equal') return { ...filesOf(plan, target, form), notes: [] };
  const microbatchSize = equalMicrobatch(plan);
  if (microbatchSize === null)
    throw new ExportError(
      `${formatCount(plan.targetBatchSize)} examples are no multiple of ${formatCount(plan.worldSize)} processes, so that microbatches cannot be equal: choose the form unequal.`,
    );
  const notes =
    microbatchSize === plan.microbatchSize
      ? []
      : [
          `Equal microbatches hold ${formatCount(microbatchSize)} examples: the most up to ${formatCount(plan.microbatchSize)} that divide what a process has of the batch.`,
        ];
  return { ...filesOf({ ...plan, microbatchSize }, target, form), notes };
}

function filesOf(
  plan: ExportedPlan,
  target: Exclude<OfferedTarget, 'tfjs' | 'deepspeed'>,
  form: ExportForm,
): Pick<Export, 'files'> {
  switch (target) {
    case 'tensorflow':
      return python('train_tensorflow.py', tensorflowProgram(plan, form));
    case 'keras':
      return python('train_keras.py', kerasProgram(plan, form));
    case 'pytorch':
      return python('train_pytorch.py', torchProgram(plan, form));
    case 'ddp':
      return python('train_ddp.py', ddpProgram(plan, form));
    case 'accelerate': {
      const config: ExportedFile = {
        name: 'accelerate.yaml',
        language: 'yaml',
        text: accelerateConfig(plan),
      };
      const program = accelerateProgram(plan, form, config.name);
      return {
        files: [config, { name: 'train_accelerate.py', language: 'python', text: program }],
      };
    }
  }
}

function python(name: string, text: string): Pick<Export, 'files'> {
  return { files: [{ name, language: 'python', text }] };
}
