// The first line of a run: its state in a sentence, how far it is, and what can be done.
import type { PageMessage, RunView } from '../../src/protocol/page';
import { formatCount } from '../../src/planning/units';
import { createButton, setButtonLabel, type Button } from '../controls';
import { element, icon, setAttribute, setShown, setText } from '../dom';
import type { Translate } from '../l10n';
import { actionsOf, isRunning, runActions, stateIcons, stateSentence, type RunAction } from './runStates';

/** How far a run is in its epoch, or in going over what is done. */
export interface Progress {
  /** `epoch 3 / 10`; null where there is none to tell. */
  readonly epoch: string | null;
  readonly update: string | null;
  readonly microbatch: string | null;
  /** 0 to 1; null where nobody knows. */
  readonly part: number | null;
}

/** How far a run is, in the page's words. */
export function progressOf(run: RunView, t: Translate): Progress {
  const { call, microbatch, replay } = run;
  if (replay !== null) {
    const update = t('update {0} / {1}', formatCount(replay.done), formatCount(replay.of));
    return { epoch: null, update, microbatch: null, part: replay.done / replay.of };
  }
  if (call === null) return { epoch: null, update: null, microbatch: null, part: null };
  const { epochs, updatesPerEpoch } = call;
  const isDone = run.state === 'completed';
  const hasEpochs = call.method !== 'trainOnBatch';
  const current = isDone ? run.epoch : Math.min(run.epoch + 1, epochs ?? Infinity);
  const updateOfEpoch = isDone && updatesPerEpoch !== null ? updatesPerEpoch : run.updateOfEpoch;
  const done = hasEpochs ? updateOfEpoch : run.updates;
  const share = microbatch === null || isDone ? 0 : microbatch.done / Math.max(1, microbatch.of);
  return {
    epoch: !hasEpochs
      ? null
      : epochs === null
        ? t('epoch {0}', formatCount(current))
        : t('epoch {0} / {1}', formatCount(current), formatCount(epochs)),
    update:
      updatesPerEpoch === null || !hasEpochs
        ? t('update {0}', formatCount(done))
        : t('update {0} / {1}', formatCount(done), formatCount(updatesPerEpoch)),
    microbatch:
      microbatch === null || !isRunning(run.state)
        ? null
        : t('microbatch {0} / {1}', formatCount(microbatch.done), formatCount(microbatch.of)),
    part:
      updatesPerEpoch === null || !hasEpochs
        ? null
        : Math.min(1, (updateOfEpoch + Math.min(1, share)) / Math.max(1, updatesPerEpoch)),
  };
}

const messages: Readonly<Record<RunAction, PageMessage>> = {
  pause: { type: 'pauseRun' },
  resume: { type: 'resumeRun' },
  stop: { type: 'stopRun' },
  resumeFrom: { type: 'resumeRun' },
  endNow: { type: 'endRun' },
  trainAgain: { type: 'startTraining' },
};

/** The line, kept as it is and changed where the run changed, so that focus stays. */
export class StatusLine {
  readonly root = element('div', { class: 'run-status' });
  readonly #icon = icon('circle');
  readonly #sentence = element('strong', { class: 'run-sentence' });
  readonly #epoch = element('span', { class: 'run-count' });
  readonly #update = element('span', { class: 'run-count' });
  readonly #microbatch = element('span', { class: 'run-count' });
  readonly #bar = element('div', { class: 'run-bar', attributes: { role: 'progressbar' } });
  readonly #fill = element('div', { class: 'run-bar-fill' });
  readonly #buttons: Readonly<Record<RunAction, Button>>;
  readonly #t: Translate;

  constructor(send: (message: PageMessage) => void, t: Translate) {
    this.#t = t;
    const button = (action: RunAction, label: string, iconName: string, isPrimary = false) =>
      createButton(label, () => send(messages[action]), {
        look: isPrimary ? 'primary' : 'secondary',
        icon: iconName,
      });
    this.#buttons = {
      pause: button('pause', t('Pause'), 'debug-pause'),
      resume: button('resume', t('Resume'), 'debug-continue', true),
      stop: button('stop', t('Stop'), 'debug-stop'),
      resumeFrom: button('resumeFrom', t('Resume'), 'debug-continue', true),
      endNow: button('endNow', t('Stop now'), 'debug-stop'),
      trainAgain: button('trainAgain', t('Train again'), 'play'),
    };
    this.#buttons.endNow.title = t('Ends at once, without saving');
    setAttribute(this.#bar, 'aria-valuemin', '0');
    setAttribute(this.#bar, 'aria-valuemax', '100');
    this.#bar.append(this.#fill);
    this.root.append(
      element('span', { class: 'run-state' }, this.#icon, this.#sentence),
      element('span', { class: 'run-progress' }, this.#epoch, this.#bar, this.#update, this.#microbatch),
      element('span', { class: 'run-actions' }, ...runActions.map((action) => this.#buttons[action])),
    );
  }

  show(run: RunView, isTrusted: boolean): void {
    const t = this.#t;
    const iconName = stateIcons[run.state];
    const spin = iconName === 'loading' ? ' codicon-modifier-spin' : '';
    this.#icon.className = `codicon codicon-${iconName}${spin} run-icon-${run.state}`;
    setText(this.#sentence, stateSentence(run, t));
    const label = run.replay === null ? t('Progress of the epoch') : t('Progress of going over what is done');
    setAttribute(this.#bar, 'aria-label', label);
    this.#showProgress(progressOf(run, t));
    this.#showActions(actionsOf(run, isTrusted), run);
  }

  #showProgress({ epoch, update, microbatch, part }: Progress): void {
    for (const [target, text] of [
      [this.#epoch, epoch],
      [this.#update, update],
      [this.#microbatch, microbatch],
    ] as const) {
      setText(target, text ?? '');
      setShown(target, text !== null);
    }
    setShown(this.#bar, part !== null);
    if (part === null) return;
    const percent = Math.floor(part * 100);
    setAttribute(this.#bar, 'aria-valuenow', String(percent));
    const counts = [epoch, update].filter((text) => text !== null).join(', ');
    setAttribute(this.#bar, 'aria-valuetext', counts);
    this.#fill.style.width = `${(part * 100).toFixed(2)}%`;
  }

  #showActions(actions: readonly RunAction[], run: RunView): void {
    const focused = runActions.find((action) => this.#buttons[action] === document.activeElement);
    if (run.savedUpdate !== null)
      setButtonLabel(
        this.#buttons.resumeFrom,
        this.#t('Resume from update {0}', formatCount(run.savedUpdate)),
      );
    for (const action of runActions) setShown(this.#buttons[action], actions.includes(action));
    // Who pressed a button that is no more goes on at the next one, not at the page's top.
    const next = actions[0];
    if (focused !== undefined && !actions.includes(focused) && next !== undefined)
      this.#buttons[next].focus();
  }
}
