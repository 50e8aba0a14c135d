// Why a run failed: the script's own error, with a link to its place.
import type { PageMessage, RunView } from '../../src/protocol/page';
import { element, icon } from '../dom';
import type { Translate } from '../l10n';

/** The message, and where in the script it happened. */
export function failureChildren(
  { failure }: RunView,
  send: (message: PageMessage) => void,
  t: Translate,
): Node[] {
  if (failure === null) return [];
  const { message, file, line } = failure;
  const text = element(
    'div',
    {
      class: 'failure-message',
      attributes: { tabindex: '0', role: 'group', 'aria-label': t('Why it failed'), 'data-scrolls': '' },
    },
    message,
  );
  const children: Node[] = [icon('error'), text];
  if (file !== null) {
    const place = line === null ? baseName(file) : `${baseName(file)}:${line}`;
    children.push(
      element(
        'button',
        {
          class: 'link',
          attributes: { type: 'button', title: file, 'aria-label': t('Open {0}', place) },
          onClick: () => send({ type: 'openFailure' }),
        },
        place,
      ),
    );
  }
  return children;
}

function baseName(file: string): string {
  return file.split(/[\\/]/).at(-1) ?? file;
}
