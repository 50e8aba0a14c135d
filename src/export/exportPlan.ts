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
import { multiworkerProgram } from './python/multiworkerProgram';
import { optimizerNotes } from './python/optimizers';
import { tensorflowProgram } from './python/tensorflowProgram';
import { torchProgram } from './python/torchProgram';
import { tfjsProgram } from './tfjs';
import { workersConfig } from './workersConfig';

/** The form that a plan has where none is asked for. */
export function formOfPlan(plan: ExportedPlan): ExportForm {
  return isEqual(plan) ? 'equal' : 'unequal';
}

/**
 * The files of a plan for a target.
 * @throws ExportError where plan, form and target do not go together
 */
export function exportPlan(plan: ExportedPlan, target: ExportTarget, form: ExportForm): Export {
  if (!distributedTargets.includes(target) && plan.worldSize > 1)
    throw new ExportError(
      `${target} runs in one process: leave --world-size out, or choose one of ${distributedTargets.join(', ')}.`,
    );
  if (plan.worldSize > plan.targetBatchSize)
    throw new ExportError(
      `${formatCount(plan.worldSize)} processes cannot share ${formatCount(plan.targetBatchSize)} examples: choose at most as many processes as examples.`,
    );
  if (target === 'deepspeed') return deepspeedExport(plan);
  const { optimizer } = plan;
  const isTorch = target === 'pytorch' || target === 'ddp' || target === 'accelerate';
  const isJavaScript = target === 'tfjs' || target === 'tfjs-accumulate';
  const notes = isJavaScript ? [] : optimizerNotes(optimizer, isTorch);
  if (form !== 'equal') return { files: filesOf(plan, target, form), notes };
  const microbatchSize = equalMicrobatch(plan);
  if (microbatchSize === null)
    throw new ExportError(
      `${formatCount(plan.targetBatchSize)} examples are no multiple of ${formatCount(plan.worldSize)} processes, so that microbatches cannot be equal: choose the form unequal.`,
    );
  const files = filesOf({ ...plan, microbatchSize }, target, form);
  const whole = plan.worldSize === 1 ? 'the batch' : 'what a process has of the batch';
  const mostAtOnce = Math.min(plan.microbatchSize, plan.targetBatchSize / plan.worldSize);
  const changed = `Equal microbatches hold ${formatCount(microbatchSize)} examples: the most up to ${formatCount(mostAtOnce)} that divide ${whole}.`;
  return { files, notes: microbatchSize === mostAtOnce ? notes : [changed, ...notes] };
}

function filesOf(
  plan: ExportedPlan,
  target: Exclude<ExportTarget, 'deepspeed'>,
  form: ExportForm,
): Export['files'] {
  switch (target) {
    case 'tfjs':
      return [javascript('train_tfjs.mjs', tfjsProgram(plan, form, false))];
    case 'tfjs-accumulate':
      return [javascript('train_tfjs_accumulate.mjs', tfjsProgram(plan, form, true))];
    case 'tensorflow':
      return [python('train_tensorflow.py', tensorflowProgram(plan, form))];
    case 'keras':
      return [python('train_keras.py', kerasProgram(plan, form))];
    case 'pytorch':
      return [python('train_pytorch.py', torchProgram(plan, form))];
    case 'ddp':
      return [python('train_ddp.py', ddpProgram(plan, form))];
    case 'multiworker': {
      const config: ExportedFile = { name: 'tf_config.json', language: 'json', text: workersConfig(plan) };
      return [python('train_multiworker.py', multiworkerProgram(plan, form, config.name)), config];
    }
    case 'accelerate': {
      const text = accelerateConfig(plan);
      const config: ExportedFile = { name: 'accelerate.yaml', language: 'yaml', text };
      return [config, python('train_accelerate.py', accelerateProgram(plan, form, config.name))];
    }
  }
}

function javascript(name: string, text: string): ExportedFile {
  return { name, language: 'javascript', text };
}

function python(name: string, text: string): ExportedFile {
  return { name, language: 'python', text };
}
