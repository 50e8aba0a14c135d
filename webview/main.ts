// The page's start: takes the extension's messages and hands them to the two parts of the page.
import type { HostMessage, PageMessage, PageView } from '../src/protocol/page';
import { registerControls } from './controls';
import { element, setShown } from './dom';
import { setTexts, t } from './l10n';
import { keepState, keptState } from './pageState';
import { PlanPart } from './plan/planPart';
import { createRunPart, type RunPart } from './run/runPart';
import { vscodeApi } from './vscodeApi';

const runStateName = 'run';

/** The page's parts, made once the texts are there. */
interface Parts {
  readonly plan: PlanPart;
  readonly run: RunPart;
  readonly runHost: HTMLElement;
}

let parts: Parts | null = null;
/** The run that was going on in the last view. */
let lastStarted: string | null = null;

function makeParts(): Parts {
  const root = document.getElementById('batch-planner') ?? document.body;
  const plan = new PlanPart(send);
  const runHost = element('section', { class: 'run-host', attributes: { 'aria-label': t('Run') } });
  const run = createRunPart(runHost, send, t, {
    read: () => keptState(runStateName),
    write: (state) => keepState(runStateName, state),
  });
  root.replaceChildren(plan.element, runHost);
  return { plan, run, runHost };
}

function show({ plan, run, runHost }: Parts, view: PageView): void {
  plan.show(view);
  setShown(runHost, view.run !== null || view.earlierRuns.length > 0);
  run.show(view);
  const started = startedRun(view);
  if (started !== null && started !== lastStarted) runHost.scrollIntoView({ block: 'start' });
  lastStarted = started;
}

/** Names a run whose process is there, and which start of it that is: it is looked at as soon as it begins. */
function startedRun({ run }: PageView): string | null {
  if (run === null || run.endedAt !== null || run.state === 'gone' || run.state === 'interrupted')
    return null;
  return `${run.name} ${run.attempts}`;
}

function send(message: PageMessage): void {
  vscodeApi.postMessage(message);
}

function take(message: HostMessage): void {
  switch (message.type) {
    case 'hello':
      setTexts(message.texts);
      document.documentElement.lang = message.locale;
      // A page that is shown again is greeted again; what is there stays.
      parts ??= makeParts();
      break;
    case 'view':
      if (parts !== null) show(parts, message.view);
      break;
    case 'history':
      parts?.run.addHistory(message.part);
      break;
  }
}

registerControls();
// By this the extension knows which entry a page is of that VS Code brings back after a reload.
keepState('entry', document.body.dataset['entry'] ?? '');
window.addEventListener('message', ({ data }: MessageEvent<HostMessage>) => take(data));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) send({ type: 'ready' });
});
send({ type: 'ready' });
