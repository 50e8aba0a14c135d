// The states without a plan: nothing planned yet, planning failed, a config that cannot be read. Each has a way on.
import type { PlanFailure, Remedy } from '../../src/protocol/planStream';
import type { PageMessage, PlanView } from '../../src/protocol/page';
import { createButton } from '../controls';
import { element, icon } from '../dom';
import { t } from '../l10n';

type Send = (message: PageMessage) => void;

/** As planned before, or as the script asks. */
export const planAnew: Extract<PageMessage, { type: 'plan' }> = {
  type: 'plan',
  targetBatchSize: null,
  budgetBytes: null,
  objective: 'largest',
};

/** Nothing was planned yet. */
export function emptyState(isTrusted: boolean, send: Send): HTMLElement {
  return element(
    'div',
    { class: 'trouble' },
    element('h2', {}, t('Not planned yet')),
    element(
      'p',
      {},
      t(
        'Planning runs the start of the script a few times and measures the largest microbatch that fits the memory. The script stays as it is.',
      ),
    ),
    ...(isTrusted
      ? [
          actions(
            createButton(t('Plan batch size'), () => send(planAnew), { look: 'primary', icon: 'graph-line' }),
          ),
        ]
      : []),
  );
}

/** Planning ended without a plan. */
export function failedState(failure: PlanFailure, isTrusted: boolean, send: Send): HTMLElement {
  const [first = '', ...more] = failure.message.split('\n').filter((line) => line.trim() !== '');
  const isCancelled = failure.kind === 'interrupted';
  return element(
    'div',
    { class: isCancelled ? 'trouble' : 'trouble failed' },
    element('h2', {}, ...(isCancelled ? [] : [icon('error')]), element('span', {}, first)),
    ...more.map((line) => element('p', {}, line)),
    ...(failure.file === null
      ? []
      : [
          element(
            'p',
            {},
            link(placeOf(failure.file, failure.line), () => send({ type: 'openFailure' })),
          ),
        ]),
    actions(
      ...(failure.remedy === null || !isTrusted
        ? []
        : [createButton(remedyLabel(failure.remedy), () => send({ type: 'remedy' }), { look: 'primary' })]),
      ...(isTrusted
        ? [
            createButton(isCancelled ? t('Plan batch size') : t('Try again'), () => send(planAnew), {
              look: isCancelled ? 'primary' : 'secondary',
            }),
          ]
        : []),
      createButton(t('Show log'), () => send({ type: 'showLog' })),
    ),
  );
}

/** The config beside the entry has mistakes in it. */
export function badConfigState(
  { problems }: Extract<PlanView, { state: 'badConfig' }>,
  send: Send,
): HTMLElement {
  const openAt = (line: number | null) => (): void => send({ type: 'openConfig', line });
  return element(
    'div',
    { class: 'trouble failed' },
    element('h2', {}, icon('error'), element('span', {}, t('The config of this entry cannot be read'))),
    element(
      'ul',
      { class: 'problems' },
      ...problems.map(({ message, line }) =>
        element('li', {}, link(t('Line {0}', line), openAt(line)), element('span', {}, message)),
      ),
    ),
    actions(createButton(t('Open config'), openAt(problems[0]?.line ?? null), { look: 'primary' })),
  );
}

function remedyLabel(remedy: Remedy): string {
  switch (remedy) {
    case 'setUpTensorflow':
      return t('Set up TensorFlow');
    case 'installTensorflowJs':
      return t('Install TensorFlow.js');
    case 'chooseNode':
      return t('Choose Node…');
    case 'openConfig':
      return t('Open config');
  }
}

function placeOf(file: string, line: number | null): string {
  return line === null ? file : `${file}:${line}`;
}

function link(text: string, onClick: () => void): HTMLElement {
  return element('button', { class: 'link', attributes: { type: 'button' }, onClick }, text);
}

function actions(...buttons: HTMLElement[]): HTMLElement {
  return element('div', { class: 'actions' }, ...buttons);
}
