// The languages and libraries that a plan can be taken to from the editor, and the programs for each.
import * as vscode from 'vscode';
import type { ExportedFile, ExportedPlan, ExportForm } from '../export/exportedPlan';
import { exportPlan } from '../export/exportPlan';
import { tfjsProgram } from '../export/tfjs';

/** What one choice of the picker gives. */
export interface CodeLanguage {
  /** By which scripts and keys name it. */
  readonly name: string;
  readonly label: string;
  readonly detail: string;
  /** True where several processes share each update: their number is asked for. */
  readonly isDistributed?: boolean;
  /**
   * Files to open, and what a person must know, one sentence each.
   * @throws ExportError where plan and form do not go together
   */
  make(
    plan: ExportedPlan,
    form: ExportForm,
  ): {
    readonly files: readonly ExportedFile[];
    readonly notes: readonly string[];
  };
}

/** In the order in which they are shown. */
export function codeLanguages(): readonly CodeLanguage[] {
  return [
    {
      name: 'tfjs',
      label: 'TensorFlow.js',
      detail: vscode.l10n.t('A loop of its own that adds up gradients; needs TensorFlow.js alone'),
      make: (plan, form) => {
        const { files, notes } = tfjsProgram(plan, form);
        return { files: files.slice(0, 1), notes };
      },
    },
    {
      name: 'tfjsAccumulate',
      label: vscode.l10n.t('TensorFlow.js with accumulate()'),
      detail: vscode.l10n.t('The same loop by the helper of the package batch-planner'),
      make: (plan, form) => {
        const { files, notes } = tfjsProgram(plan, form);
        return { files: files.slice(1), notes };
      },
    },
    {
      name: 'tensorflow',
      label: vscode.l10n.t('TensorFlow (Python)'),
      detail: vscode.l10n.t('A loop of its own with GradientTape'),
      make: (plan, form) => exportPlan(plan, 'tensorflow', form),
    },
    {
      name: 'keras',
      label: vscode.l10n.t('Keras 3 (Python)'),
      detail: vscode.l10n.t('For each of its backends'),
      make: (plan, form) => exportPlan(plan, 'keras', form),
    },
    {
      name: 'pytorch',
      label: vscode.l10n.t('PyTorch (Python)'),
      detail: vscode.l10n.t('A plain loop'),
      make: (plan, form) => exportPlan(plan, 'pytorch', form),
    },
    {
      name: 'ddp',
      label: vscode.l10n.t('PyTorch DDP (Python)'),
      detail: vscode.l10n.t('Several processes, started by torchrun'),
      isDistributed: true,
      make: (plan, form) => exportPlan(plan, 'ddp', form),
    },
    {
      name: 'accelerate',
      label: vscode.l10n.t('Accelerate (Python)'),
      detail: vscode.l10n.t('Several processes: a configuration and a program'),
      isDistributed: true,
      make: (plan, form) => exportPlan(plan, 'accelerate', form),
    },
    {
      name: 'deepspeed',
      label: 'DeepSpeed',
      detail: vscode.l10n.t('Several processes: its configuration, whose microbatches are all of one size'),
      isDistributed: true,
      make: (plan, form) => exportPlan(plan, 'deepspeed', form),
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
