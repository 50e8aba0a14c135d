// The controls of what-if: target batch, budget, preference. They change the answer at once; nothing is measured.
import type { Objective, Plan } from '../../src/planning/plan';
import { formatBytes, formatCount } from '../../src/planning/units';
import { largestBudget, largestTarget } from '../../src/planning/whatIf';
import { createRadioGroup, type RadioGroup } from '../controls';
import { element, setShown, setText } from '../dom';
import { t } from '../l10n';
import { byteStops, countStops, StopSlider } from '../stopSlider';
import { AmountField, type Typed } from './amountField';
import type { Choice } from './choice';
import { budgetText, readBudget, readTargetBatch } from './typedAmounts';

export class WhatIfControls {
  readonly element: HTMLElement;
  readonly #target: AmountField;
  readonly #targetSlider: StopSlider;
  readonly #budget: AmountField;
  readonly #budgetSlider: StopSlider;
  readonly #budgetNote = element('p', { class: 'muted control-note' });
  readonly #objective: RadioGroup;
  #choice: Choice = { targetBatchSize: 1, budgetBytes: null, objective: 'largest' };
  #plan: Plan | null = null;

  /** @param onProblem called when something that cannot be used was typed, or no longer stands there */
  constructor(
    private readonly onChange: (choice: Choice) => void,
    onProblem: () => void,
  ) {
    this.#target = new AmountField(
      t('Target batch size'),
      (text) => this.#read((plan) => readTargetBatch(text, plan)),
      (targetBatchSize) => this.#change({ targetBatchSize }),
      onProblem,
    );
    this.#targetSlider = new StopSlider(
      t('Target batch size, as a slider'),
      formatCount,
      (targetBatchSize) => {
        this.#change({ targetBatchSize });
        // Whatever stood in the field, the slider has spoken last.
        this.#target.forget();
      },
    );
    this.#budget = new AmountField(
      t('Memory budget'),
      (text, shown) => this.#read((plan) => readBudget(text, shown, plan)),
      (budgetBytes) => this.#change({ budgetBytes }),
      onProblem,
    );
    this.#budgetSlider = new StopSlider(t('Memory budget, as a slider'), formatBytes, (budgetBytes) => {
      this.#change({ budgetBytes });
      this.#budget.forget();
    });
    this.#objective = createRadioGroup<Objective>(
      t('Prefer'),
      { largest: t('largest microbatch'), fastest: t('fastest') },
      (objective) => this.#change({ objective }),
    );
    this.element = element(
      'section',
      { class: 'what-if', attributes: { 'aria-label': t('What if') } },
      element(
        'div',
        { class: 'control' },
        this.#target.element,
        this.#targetSlider.element,
        this.#target.problem,
      ),
      element(
        'div',
        { class: 'control' },
        this.#budget.element,
        this.#budgetSlider.element,
        this.#budget.problem,
        this.#budgetNote,
      ),
      element('div', { class: 'control' }, this.#objective),
    );
  }

  /** True while something that cannot be used stands in a field. */
  get isInvalid(): boolean {
    return this.#target.isInvalid || this.#budget.isInvalid;
  }

  /** Shows the choice; `planned` is the one that the plan was made for, which the sliders can always go back to. */
  show(plan: Plan, planned: Choice, choice: Choice): void {
    this.#choice = choice;
    this.#plan = plan;
    const { targetBatchSize, budgetBytes, objective } = choice;
    this.#target.show(formatCount(targetBatchSize));
    this.#targetSlider.show(targetStops(plan, planned), targetBatchSize);
    const canPredict = plan.memory !== null;
    this.#budget.isDisabled = !canPredict;
    this.#budgetSlider.element.disabled = !canPredict || budgetBytes === null;
    this.#budget.show(budgetBytes === null ? '' : budgetText(budgetBytes));
    const [least, most] = budgetRange(plan, planned);
    this.#budgetSlider.show(
      byteStops(least, most, planned.budgetBytes === null ? [] : [planned.budgetBytes]),
      budgetBytes ?? least,
    );
    const note = budgetNote(plan, choice);
    setText(this.#budgetNote, note);
    // Where something else is being typed, it would be about another amount than the one beside it.
    setShown(this.#budgetNote, note !== '' && !this.#budget.isInvalid);
    if (this.#objective.value !== objective) this.#objective.value = objective;
  }

  /** Shows the choice even where something else is being typed: after a reset. */
  forget(): void {
    this.#target.forget();
    this.#budget.forget();
  }

  #read(read: (plan: Plan) => Typed): Typed {
    // There is a plan as soon as the fields can be seen.
    return this.#plan === null ? { problem: '' } : read(this.#plan);
  }

  #change(part: Partial<Choice>): void {
    this.onChange({ ...this.#choice, ...part });
  }
}

/** Up to every example there is; where their number is not known, well beyond what was planned. */
function targetStops(plan: Plan, { targetBatchSize }: Choice): number[] {
  const known = plan.examples === null || plan.examples < 1 ? Infinity : plan.examples;
  const wanted = Math.min(known, Math.max(8192, targetBatchSize * 8, plan.examples ?? 0));
  const stops = countStops(Math.min(wanted, largestTarget(plan)), [targetBatchSize]);
  // What was planned, or is in the config, can always be gone back to.
  return stops.includes(targetBatchSize) ? stops : [...stops, targetBatchSize];
}

/** From what the fixed part alone takes to all that the device has, or the backend can hold. */
function budgetRange(plan: Plan, planned: Choice): [number, number] {
  const { memory, trials } = plan;
  const peaks = trials.map(({ peakBytes }) => peakBytes ?? 0);
  const least = Math.max(2 ** 20, Math.floor((memory?.fixedBytes ?? 0) * 0.9));
  const most =
    largestBudget(plan)?.bytes ?? Math.max((planned.budgetBytes ?? 0) * 2, ...peaks.map((peak) => peak * 2));
  return [Math.min(least, most / 2), most];
}

function budgetNote({ memory, device, trials }: Plan, { budgetBytes }: Choice): string {
  if (memory === null) {
    return trials.some(({ peakBytes }) => peakBytes !== null)
      ? t('Other budgets cannot be estimated from one measured size.')
      : t('Other budgets cannot be estimated: how much memory was in use could not be read.');
  }
  if (budgetBytes === null) return t('Not known: the plan was found by running out of memory.');
  const free = device?.memoryFreeBytes ?? null;
  if (free === null) return '';
  return budgetBytes <= free
    ? t('{0} were free, {1} of it kept free', formatBytes(free), formatBytes(free - budgetBytes))
    : t('more than the {0} that were free when it was planned', formatBytes(free));
}
