// The languages and libraries that a plan can be taken to from the editor, and the ways to cut a batch, as a person reads them.
import * as vscode from 'vscode';
import type { ExportForm, ExportTarget } from '../export/exportedPlan';

/** One choice of the picker. */
export interface CodeLanguage {
  /** By which scripts and keys name it. */
  readonly name: ExportTarget;
  readonly label: string;
  readonly detail: string;
}

/** In the order in which they are shown. */
export function codeLanguages(): readonly CodeLanguage[] {
  return [
    {
      name: 'tfjs',
      label: 'TensorFlow.js',
      detail: vscode.l10n.t('A loop of its own that adds up gradients; needs TensorFlow.js alone'),
    },
    {
      name: 'tfjs-accumulate',
      label: vscode.l10n.t('TensorFlow.js with accumulate()'),
      detail: vscode.l10n.t('The same loop by the helper of the package batch-planner'),
    },
    {
      name: 'tensorflow',
      label: vscode.l10n.t('TensorFlow (Python)'),
      detail: vscode.l10n.t('A loop of its own with GradientTape'),
    },
    {
      name: 'keras',
      label: vscode.l10n.t('Keras 3 (Python)'),
      detail: vscode.l10n.t('For each of its backends'),
    },
    {
      name: 'pytorch',
      label: vscode.l10n.t('PyTorch (Python)'),
      detail: vscode.l10n.t('A plain loop'),
    },
    {
      name: 'ddp',
      label: vscode.l10n.t('PyTorch DDP (Python)'),
      detail: vscode.l10n.t('Several processes, started by torchrun'),
    },
    {
      name: 'multiworker',
      label: vscode.l10n.t('TensorFlow on several machines (Python)'),
      detail: vscode.l10n.t('MultiWorkerMirroredStrategy: a program, and where its workers find each other'),
    },
    {
      name: 'accelerate',
      label: vscode.l10n.t('Accelerate (Python)'),
      detail: vscode.l10n.t('Several processes: a configuration and a program'),
    },
    {
      name: 'deepspeed',
      label: 'DeepSpeed',
      detail: vscode.l10n.t('Several processes: its configuration, whose microbatches are all of one size'),
    },
  ];
}

/** The ways in which a batch is cut and weighed, as they are told apart by a person. */
export function codeForms(): readonly { form: ExportForm; label: string; detail: string }[] {
  return [
    {
      form: 'unequal',
      label: vscode.l10n.t('Microbatches as planned'),
      detail: vscode.l10n.t('Sizes differ by at most one; each weighs its examples'),
    },
    {
      form: 'equal',
      label: vscode.l10n.t('Equal microbatches'),
      detail: vscode.l10n.t('All of one size, which divides the target batch'),
    },
    {
      form: 'counted',
      label: vscode.l10n.t('Tokens or samples that differ per step'),
      detail: vscode.l10n.t('Each microbatch weighs what counts in it, such as tokens that are no padding'),
    },
  ];
}
