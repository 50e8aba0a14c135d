// The page's part about a run: its state and what can be done, figures, charts, events, earlier runs, output.
import type { PageMessage, PageView, RunHistoryPart, RunView } from '../../src/protocol/page';
import { formatCount } from '../../src/planning/units';
import { RunHistories } from '../chart/runHistory';
import { createButton, setButtonLabel } from '../controls';
import { element, setChildren, setShown } from '../dom';
import type { Translate } from '../l10n';
import { Announcer } from './announcer';
import { runCsv } from './csv';
import { earlierRunsHead, showEarlierRuns } from './earlierRuns';
import { showEvents } from './events';
import { failureChildren } from './failure';
import { FiguresLine } from './figuresLine';
import { readLook, type StateKeeper } from './keptState';
import { Output } from './output';
import { RunCharts } from './runCharts';
import { Section } from './sections';
import { spokenRun } from './spokenRun';
import { StatusLine } from './statusLine';

/** The run's part of the page. */
export interface RunPart {
  /** Shows the run of a view; without one only earlier runs, without those nothing. */
  show(view: PageView): void;
  /** Takes in a part of a run's history; the first part (`from` 0) replaces what is there. */
  addHistory(part: RunHistoryPart): void;
}

/** The most characters that a message to copy may have. */
const longestCopy = 20_000_000;

/** Makes the run's part in `host`; the texts must be known by then. `keeper` keeps how a run is looked at. */
export function createRunPart(
  host: HTMLElement,
  send: (message: PageMessage) => void,
  t: Translate,
  keeper: StateKeeper,
): RunPart {
  const look = readLook(keeper.read());
  const keep = () => keeper.write(look);
  const histories = new RunHistories();
  let shown: PageView | null = null;
  let asked = false;

  const status = new StatusLine(send, t);
  const figures = new FiguresLine(t);
  const charts = new RunCharts(look, keep, t);
  const announcer = new Announcer();
  const output = new Output(t);
  const failure = element('div', { class: 'run-failure' });
  const notes = element('div', { class: 'run-notes' });
  const events = element('ul', {
    class: 'events',
    attributes: { tabindex: '0', role: 'list', 'aria-label': t('Events'), 'data-scrolls': '' },
  });
  const earlierBody = element('tbody');
  const earlierTable = element(
    'div',
    {
      class: 'table-scroll',
      attributes: { tabindex: '0', role: 'group', 'aria-label': t('Earlier runs'), 'data-scrolls': '' },
    },
    element('table', { class: 'earlier-runs' }, earlierRunsHead(t), earlierBody),
  );
  const section = (name: string, content: HTMLElement) =>
    new Section(
      name,
      look.open.includes(name),
      (toggled, isOpen) => {
        look.open = look.open.filter((one) => one !== toggled);
        if (isOpen) look.open.push(toggled);
        keep();
      },
      content,
    );
  const eventSection = section('events', events);
  const earlierSection = section('earlierRuns', earlierTable);
  const outputSection = section('output', output.root);

  const copyCsv = (): void => {
    const name = shown?.run?.name;
    if (name === undefined) return;
    const { text, every } = runCsv(histories.of(name), longestCopy);
    send({ type: 'copyText', text });
    const done =
      every === 1 ? t('Copied') : t('Copied one of {0} updates: all are too long', formatCount(every));
    setButtonLabel(copy, done);
    announcer.say(done);
    window.setTimeout(() => setButtonLabel(copy, t('Copy as CSV')), 3000);
  };
  const copy = createButton(t('Copy as CSV'), copyCsv, { icon: 'copy' });
  const tools = element(
    'div',
    { class: 'run-tools' },
    createButton(t('Open run folder'), () => send({ type: 'openRunFolder' }), { icon: 'folder-opened' }),
    copy,
    createButton(t('Show terminal'), () => send({ type: 'showTerminal' }), { icon: 'terminal' }),
  );
  const ofRun = element(
    'div',
    { class: 'run-body' },
    status.root,
    figures.root,
    failure,
    notes,
    charts.root,
    tools,
  );
  const root = element(
    'div',
    { class: 'run' },
    announcer.root,
    ofRun,
    eventSection.root,
    outputSection.root,
    earlierSection.root,
  );
  setShown(root, false);
  host.append(root);

  const showRun = (run: RunView, view: PageView): void => {
    const own = histories.of(run.name);
    const other = view.comparedRun === null ? null : histories.of(view.comparedRun);
    status.show(run, view.isTrusted);
    figures.show(run);
    setShown(failure, run.failure !== null);
    setChildren(failure, JSON.stringify(run.failure), () => failureChildren(run, send, t));
    showNotes(run);
    charts.show(run, { own, other });
    eventSection.set(t('Events ({0})', formatCount(own.marks.length)), () =>
      showEvents(events, own.marks, t),
    );
    outputSection.set(t('Output'), () => output.show(run.output));
    announcer.say(spokenRun(run, t));
  };

  const showNotes = (run: RunView): void => {
    const texts: string[] = [];
    if (run.backend !== null || run.deviceName !== null)
      texts.push([run.backend, run.deviceName].filter((one) => one !== null).join(' · '));
    if (run.call !== null && run.call.call > 0)
      texts.push(t('Training call {0} of the script: {1}', run.call.call + 1, run.call.modelName));
    const passThrough = run.call?.passThrough ?? null;
    if (passThrough !== null)
      texts.push(t("This call trains with the script's own batches: {0}", passThrough));
    setShown(notes, texts.length > 0);
    setChildren(notes, texts.join('\n'), () => texts.map((text) => element('span', {}, text)));
  };

  const render = (): void => {
    const view = shown;
    if (view === null) return;
    setShown(root, view.run !== null || view.earlierRuns.length > 0);
    setShown(ofRun, view.run !== null);
    for (const one of [eventSection, outputSection]) setShown(one.root, view.run !== null);
    setShown(earlierSection.root, view.earlierRuns.length > 0);
    if (view.run !== null) showRun(view.run, view);
    earlierSection.set(t('Earlier runs ({0})', formatCount(view.earlierRuns.length)), () =>
      showEarlierRuns(earlierBody, view, send, t),
    );
  };

  return {
    show: (view) => {
      const names = [view.run?.name ?? null, view.comparedRun];
      // Points of a run that was left are let go; the extension sends them again when it is shown again.
      for (const name of [shown?.run?.name, shown?.comparedRun])
        if (typeof name === 'string' && !names.includes(name)) histories.forget(name);
      shown = view;
      render();
    },
    addHistory: (part) => {
      const isWhole = histories.of(part.run).add(part);
      // Points before this part are missing: everything is asked for again, once.
      if (!isWhole && !asked) send({ type: 'ready' });
      asked = !isWhole;
      if (isWhole && (shown?.run?.name === part.run || shown?.comparedRun === part.run)) render();
    },
  };
}
