// The page's part about the plan: one of its states, and below it the charts and tables that all of them fill.
import { microbatchCounts } from '../../src/planning/microbatches';
import type { PageMessage, PageView, PlanView } from '../../src/protocol/page';
import { createButton, type Button } from '../controls';
import { element, setChildren, setShown } from '../dom';
import { t } from '../l10n';
import { isRecord, keepState, keptState } from '../pageState';
import { Announcer } from '../run/announcer';
import { Section } from '../run/sections';
import { Banners } from './banners';
import type { Answer, Choice } from './choice';
import { exampleTimeChart } from './exampleTimeChart';
import { HeadLine } from './headLine';
import { memoryChart, type MemoryFacts } from './memoryChart';
import { MemoryPartsView } from './memoryParts';
import { PlannedState } from './plannedState';
import { doingText, PlanningState } from './planningState';
import { SizePlot } from './sizePlot';
import { equationParts } from './texts';
import { badConfigState, emptyState, failedState, planAnew } from './troubles';
import { type TrialRow, TrialTable } from './trialTable';
import { WarningList } from './warningList';

const stateName = 'openPlanSections';

export class PlanPart {
  readonly element: HTMLElement;
  readonly #head: HeadLine;
  readonly #again: Button;
  readonly #banners: Banners;
  readonly #planned: PlannedState;
  readonly #planning: PlanningState;
  readonly #trouble = element('div');
  readonly #memory = new SizePlot(t('Peak memory by microbatch'), t('The table of trials has these values.'));
  readonly #time = new SizePlot(t('Time per example'), t('The table of trials has these values.'));
  readonly #charts: HTMLElement;
  readonly #trials = new TrialTable();
  readonly #trialsSection: Section;
  readonly #parts = new MemoryPartsView();
  readonly #partsSection: Section;
  readonly #sections: HTMLElement;
  readonly #warnings: WarningList;
  readonly #announcer = new Announcer();
  #view: PageView | null = null;
  #key = '';

  constructor(private readonly send: (message: PageMessage) => void) {
    this.#again = createButton(t('Measure again'), () => this.#measureAgain(), { icon: 'refresh' });
    this.#head = new HeadLine(() => send({ type: 'openEntry' }), [this.#again]);
    this.#banners = new Banners(send);
    this.#warnings = new WarningList(send);
    this.#planned = new PlannedState(send, (answer, choice, isOutdated) => {
      this.#showFigures(answer, choice);
      for (const one of [this.#charts, this.#sections]) one.classList.toggle('is-outdated', isOutdated);
    });
    this.#planning = new PlanningState(() => send({ type: 'cancelPlanning' }));
    this.#charts = element('div', { class: 'charts' }, this.#memory.element, this.#time.element);
    this.#trialsSection = keptSection('trials', true, this.#trials.element);
    this.#partsSection = keptSection('parts', false, this.#parts.element);
    this.#sections = element('div', { class: 'sections' }, this.#trialsSection.root, this.#partsSection.root);
    this.element = element(
      'section',
      { class: 'plan', attributes: { 'aria-label': t('Plan') } },
      this.#head.element,
      this.#banners.element,
      this.#trouble,
      this.#planning.element,
      this.#planned.element,
      this.#warnings.element,
      this.#charts,
      this.#sections,
      this.#announcer.root,
    );
  }

  show(view: PageView): void {
    const { plan, isTrusted } = view;
    // While a run goes on, views come four times a second that change nothing here.
    const key = JSON.stringify([plan, isTrusted, view.entryPath, view.run?.state]);
    if (key === this.#key) return;
    this.#key = key;
    this.#view = view;
    this.#head.show({ entryName: view.entryName, entryPath: view.entryPath, ...whereOf(plan) });
    setShown(this.#again, plan.state === 'planned');
    this.#again.disabled = !isTrusted;
    this.#banners.show(view);
    setChildren(this.#trouble, troubleKey(plan, isTrusted), () => this.#troubleOf(plan, isTrusted));
    const hasFigures = plan.state === 'planning' || plan.state === 'planned';
    setShown(this.#charts, hasFigures);
    setShown(this.#sections, hasFigures);
    this.#warnings.show(plan.state === 'planned' ? plan.plan.warnings : [], isTrusted);
    this.#planning.show(plan.state === 'planning' ? plan : null);
    if (plan.state === 'planning') this.#showPlanning(plan);
    this.#planned.show(plan.state === 'planned' ? plan : null, view);
    this.#announcer.say(spoken(plan));
  }

  #troubleOf(plan: PlanView, isTrusted: boolean): HTMLElement[] {
    if (plan.state === 'none') return [emptyState(isTrusted, this.send)];
    if (plan.state === 'failed') return [failedState(plan.failure, isTrusted, this.send)];
    return plan.state === 'badConfig' ? [badConfigState(plan, this.send)] : [];
  }

  #measureAgain(): void {
    const plan = this.#view?.plan;
    if (plan?.state === 'planned') this.send({ ...planAnew, objective: plan.plan.objective });
  }

  #showPlanning({ trials, budget }: Extract<PlanView, { state: 'planning' }>): void {
    setShown(this.#partsSection.root, false);
    const budgetBytes = budget?.budgetBytes ?? null;
    const deviceBytes = budget?.device?.memoryTotalBytes ?? null;
    this.#showTrials(trials, { trials, memory: null, budgetBytes, deviceBytes, chosen: null });
  }

  /** What follows from an answer, the plan's own or that of a what-if. */
  #showFigures(answer: Answer, { budgetBytes }: Choice): void {
    const plan = this.#view?.plan;
    if (plan?.state !== 'planned') return;
    const { trials, memory, device } = plan.plan;
    const chosen = answer.fits ? { microbatch: answer.microbatchSize, peakBytes: answer.peakBytes } : null;
    const deviceBytes = device?.memoryTotalBytes ?? null;
    this.#showTrials(trials, { trials, memory, budgetBytes, deviceBytes, chosen });
    const size = answer.fits ? answer.microbatchSize : 1;
    setShown(this.#partsSection.root, this.#parts.show(plan.plan, size));
    this.#partsSection.set(t('Where the memory goes'), () => undefined);
  }

  #showTrials(trials: readonly TrialRow[], facts: MemoryFacts): void {
    const size = facts.chosen?.microbatch ?? null;
    this.#trials.show(trials, facts.budgetBytes, size);
    this.#trialsSection.set(t('Trials ({0})', trials.length), () => undefined);
    const isPlanning = this.#view?.plan.state === 'planning';
    this.#memory.show(
      memoryChart(facts),
      isPlanning ? t('No size was measured yet.') : t('How much memory was in use could not be read.'),
    );
    this.#time.show(
      exampleTimeChart(trials, facts.budgetBytes, size),
      isPlanning ? t('No size was measured yet.') : t('No size was timed.'),
    );
  }
}

/** A section that stays as a person left it. */
function keptSection(name: string, isOpenAtFirst: boolean, content: HTMLElement): Section {
  const open = openSections()[name];
  const isOpen = typeof open === 'boolean' ? open : isOpenAtFirst;
  const keep = (_: string, isOpenNow: boolean): void =>
    keepState(stateName, { ...openSections(), [name]: isOpenNow });
  return new Section(name, isOpen, keep, content);
}

function openSections(): Readonly<Record<string, unknown>> {
  const kept = keptState(stateName);
  return isRecord(kept) ? kept : {};
}

/** What the states without a plan depend on. */
function troubleKey(plan: PlanView, isTrusted: boolean): string {
  const isTrouble = plan.state === 'none' || plan.state === 'failed' || plan.state === 'badConfig';
  return isTrouble ? JSON.stringify([plan, isTrusted]) : '';
}

function whereOf(plan: PlanView): Pick<Parameters<HeadLine['show']>[0], 'device' | 'backend'> {
  if (plan.state === 'planned') return { device: plan.plan.device, backend: plan.plan.backend };
  if (plan.state !== 'planning') return { device: null, backend: null };
  return { device: plan.budget?.device ?? null, backend: plan.budget === null ? null : plan.backend };
}

/** How the plan stands, for a screen reader. */
function spoken(plan: PlanView): string {
  switch (plan.state) {
    case 'none':
      return '';
    case 'planning':
      return doingText(plan);
    case 'planned': {
      const { targetBatchSize, microbatchSize } = plan;
      return equationParts(targetBatchSize, microbatchCounts(targetBatchSize, microbatchSize)).join(' ');
    }
    case 'failed':
      return plan.failure.message;
    case 'badConfig':
      return t('The config of this entry cannot be read');
  }
}
