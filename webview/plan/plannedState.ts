// A finished plan: the answer, what can be done with it, and what-if.
import { formatCount } from '../../src/planning/units';
import type { PageMessage, PageView } from '../../src/protocol/page';
import { createButton, type Button } from '../controls';
import { element, setShown } from '../dom';
import { t } from '../l10n';
import { keepState, keptState, isRecord } from '../pageState';
import { isRunning } from '../run/runStates';
import { AnswerPart } from './answerPart';
import {
  answerOfChoice,
  answerOfConfig,
  choiceOf,
  isPossible,
  isSameChoice,
  readChoice,
  type Answer,
  type Choice,
  type PlannedView,
} from './choice';
import { proofOf } from './texts';
import { WhatIfControls } from './whatIfControls';

const stateName = 'whatIf';

export class PlannedState {
  readonly element: HTMLElement;
  readonly #answer: AnswerPart;
  readonly #controls: WhatIfControls;
  readonly #start: Button;
  readonly #copyAsCode: Button;
  readonly #measure: Button;
  readonly #reset: Button;
  #view: PlannedView | null = null;
  /** Null: as planned. */
  #choice: Choice | null = null;
  #canStart = false;
  #isTrusted = false;

  /** @param onAnswer called when another choice gave another answer, or one that is not to what a field now holds */
  constructor(
    private readonly send: (message: PageMessage) => void,
    private readonly onAnswer: (answer: Answer, choice: Choice, isOutdated: boolean) => void,
  ) {
    this.#answer = new AnswerPart((text) => send({ type: 'copyText', text }));
    this.#controls = new WhatIfControls(
      (choice) => this.#choose(choice),
      () => this.#render(),
    );
    this.#start = createButton(t('Start training'), () => send({ type: 'startTraining' }), {
      look: 'primary',
      icon: 'play',
    });
    this.#measure = createButton(t('Measure'), () => this.#send(), { look: 'primary', icon: 'beaker' });
    this.#reset = createButton(t('Reset to the plan'), () => this.#resetChoice());
    const openConfig = createButton(t('Open config'), () => send({ type: 'openConfig', line: null }));
    this.#copyAsCode = createButton(t('Copy as code'), () => send({ type: 'copyAsCode' }));
    this.element = element(
      'div',
      { class: 'planned' },
      this.#answer.element,
      element(
        'div',
        { class: 'actions' },
        this.#start,
        openConfig,
        this.#copyAsCode,
        this.#measure,
        this.#reset,
      ),
      this.#controls.element,
    );
  }

  /** Shows a plan; null: there is none. */
  show(view: PlannedView | null, page: PageView): void {
    setShown(this.element, view !== null);
    if (view === null) {
      this.#view = null;
      return;
    }
    if (this.#view === null || keyOf(this.#view) !== keyOf(view)) this.#choice = keptChoice(view);
    this.#view = view;
    this.#canStart = page.isTrusted && !view.needsData && (page.run === null || !isRunning(page.run.state));
    this.#isTrusted = page.isTrusted;
    this.#render();
  }

  #choose(choice: Choice): void {
    const view = this.#view;
    if (view === null) return;
    this.#choice = isSameChoice(choice, choiceOf(view)) ? null : choice;
    keepState(stateName, this.#choice === null ? null : { plan: keyOf(view), choice: this.#choice });
    this.#render();
  }

  #resetChoice(): void {
    const view = this.#view;
    if (view === null) return;
    this.#choose(choiceOf(view));
    this.#controls.forget();
    // The button that was pressed is gone.
    this.#answer.focus();
  }

  #send(): void {
    const view = this.#view;
    if (view === null) return;
    const { targetBatchSize, budgetBytes, objective } = this.#choice ?? choiceOf(view);
    const isOwnBudget = budgetBytes === view.plan.budgetBytes;
    // The plan's own budget follows from what is free, which may be another amount by now.
    this.send({ type: 'plan', targetBatchSize, budgetBytes: isOwnBudget ? null : budgetBytes, objective });
  }

  #render(): void {
    const view = this.#view;
    if (view === null) return;
    const planned = choiceOf(view);
    const choice = this.#choice ?? planned;
    const answer = this.#choice === null ? answerOfConfig(view) : answerOfChoice(view.plan, choice);
    const note = this.#choice === null ? proofOf(view.plan) : comparison(view, answer, choice);
    const { isInvalid } = this.#controls;
    this.#answer.show(view.plan, answer, choice.budgetBytes, note, isInvalid);
    this.#controls.show(view.plan, planned, choice);
    this.#measure.disabled = !this.#isTrusted || isInvalid;
    setShown(this.#measure, answer.isEstimate || this.#choice !== null);
    setShown(this.#reset, this.#choice !== null || isInvalid);
    this.#start.disabled = !this.#canStart || this.#choice !== null || isInvalid;
    // What is copied is what the config says, not what was not measured.
    this.#copyAsCode.disabled = this.#choice !== null || isInvalid;
    this.onAnswer(answer, choice, isInvalid);
  }
}

/** What the plan itself says, beside a what-if. */
function comparison(view: PlannedView, answer: Answer, { targetBatchSize }: Choice): string {
  if (!answer.fits) return t('What if: this was not measured. A larger budget would be needed.');
  const own = answerOfConfig(view);
  if (!own.fits) return '';
  const { examples } = view.plan;
  const plan =
    own.accumulationSteps === 1
      ? t('What if: planned were {0} examples per update, all at once.', formatCount(own.targetBatchSize))
      : t(
          'What if: planned were {0} examples per update, in {1} microbatches of at most {2}.',
          formatCount(own.targetBatchSize),
          formatCount(own.accumulationSteps),
          formatCount(own.microbatchSize),
        );
  if (examples === null || targetBatchSize <= examples) return plan;
  return t('There are {0} training examples: an update can have no more. {1}', formatCount(examples), plan);
}

function keyOf({ configPath, plannedAt }: PlannedView): string {
  return `${plannedAt} ${configPath}`;
}

/** What was chosen before the page was hidden, where it was of this plan. */
function keptChoice(view: PlannedView): Choice | null {
  const kept = keptState(stateName);
  const choice = isRecord(kept) && kept.plan === keyOf(view) ? readChoice(kept.choice) : null;
  return choice !== null && isPossible(view.plan, choice) ? choice : null;
}
