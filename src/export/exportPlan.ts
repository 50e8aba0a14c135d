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

/** What an export writes first, where no other name is chosen. */
export const fileNames: Readonly<Record<ExportTarget, string>> = {
  tfjs: 'train_tfjs.mjs',
  'tfjs-accumulate': 'train_tfjs_accumulate.mjs',
  tensorflow: 'train_tensorflow.py',
  keras: 'train_keras.py',
  pytorch: 'train_pytorch.py',
  ddp: 'train_ddp.py',
  multiworker: 'train_multiworker.py',
  accelerate: 'train_accelerate.py',
  deepspeed: 'deepspeed.json',
};

/**
 * The files of a plan for a target.
 * @param chosenName of the first file, where it was chosen: programs tell how they are started
 * @throws ExportError where plan, form and target do not go together
 */
export function exportPlan(
  plan: ExportedPlan,
  target: ExportTarget,
  form: ExportForm,
  chosenName?: string,
): Export {
  if (!distributedTargets.includes(target) && plan.worldSize > 1)
    throw new ExportError(
      `${target} runs in one process: leave --world-size out, or choose one of ${distributedTargets.join(', ')}.`,
    );
  if (plan.worldSize > plan.targetBatchSize)
    throw new ExportError(
      `${formatCount(plan.worldSize)} processes cannot share ${formatCount(plan.targetBatchSize)} examples: choose at most as many processes as examples.`,
    );
  if (target === 'deepspeed') return deepspeedExport(plan);
  // Only a name that needs no quotes, in a shell or in the program, is told in the program.
  const isPlain = chosenName !== undefined && /^[\w][\w.-]*$/.test(chosenName);
  const name = isPlain ? chosenName : fileNames[target];
  const { optimizer } = plan;
  const isTorch = target === 'pytorch' || target === 'ddp' || target === 'accelerate';
  const isJavaScript = target === 'tfjs' || target === 'tfjs-accumulate';
  const optimizerSaid = optimizer === undefined ? [unknownOptimizer] : optimizerNotes(optimizer, isTorch);
  const notes = isJavaScript && optimizer !== undefined ? [] : optimizerSaid;
  if (form !== 'equal') return { files: filesOf(plan, target, form, name), notes };
  const microbatchSize = equalMicrobatch(plan);
  if (microbatchSize === null)
    throw new ExportError(
      `${formatCount(plan.targetBatchSize)} examples are no multiple of ${formatCount(plan.worldSize)} processes, so that microbatches cannot be equal: choose the form unequal.`,
    );
  const files = filesOf({ ...plan, microbatchSize }, target, form, name);
  return { files, notes: [...equalNotes(plan, microbatchSize), ...notes] };
}

const unknownOptimizer =
  'The config tells of no optimizer of TensorFlow.js: the program has Adam with its defaults; put yours in its place.';

/** What equal microbatches cost, where they are smaller than the plan's. */
function equalNotes(plan: ExportedPlan, microbatchSize: number): string[] {
  const share = plan.targetBatchSize / plan.worldSize;
  const most = Math.min(plan.microbatchSize, share);
  if (microbatchSize === most) return [];
  const examples = microbatchSize === 1 ? '1 example' : `${formatCount(microbatchSize)} examples`;
  const whole = plan.worldSize === 1 ? 'the batch' : 'what a process has of the batch';
  const steps = `${formatCount(share / microbatchSize)} steps an update instead of ${formatCount(Math.ceil(share / most))}`;
  return [
    `Equal microbatches hold ${examples}, the most up to ${formatCount(most)} that divide ${whole}: ${steps}.`,
  ];
}

function filesOf(
  plan: ExportedPlan,
  target: Exclude<ExportTarget, 'deepspeed'>,
  form: ExportForm,
  name: string,
): Export['files'] {
  switch (target) {
    case 'tfjs':
    case 'tfjs-accumulate': {
      const text = tfjsProgram(plan, form, target === 'tfjs-accumulate');
      return [{ name, language: 'javascript', text }];
    }
    case 'tensorflow':
      return [python(name, tensorflowProgram(plan, form, name))];
    case 'keras':
      return [python(name, kerasProgram(plan, form, name))];
    case 'pytorch':
      return [python(name, torchProgram(plan, form, name))];
    case 'ddp':
      return [python(name, ddpProgram(plan, form, name))];
    case 'multiworker': {
      const config: ExportedFile = { name: 'tf_config.json', language: 'json', text: workersConfig(plan) };
      return [python(name, multiworkerProgram(plan, form, name, config.name)), config];
    }
    case 'accelerate': {
      const text = accelerateConfig(plan);
      const config: ExportedFile = { name: 'accelerate.yaml', language: 'yaml', text };
      return [python(name, accelerateProgram(plan, form, name, config.name)), config];
    }
  }
}

function python(name: string, text: string): ExportedFile {
  return { name, language: 'python', text };
}
