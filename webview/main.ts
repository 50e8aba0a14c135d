// The page's start: takes the extension's messages and hands them to the parts of the page.
import type { HostMessage } from '../src/protocol/page';
import { registerControls } from './controls';
import { element } from './dom';
import { setTexts, t } from './l10n';
import { vscodeApi } from './vscodeApi';

registerControls();
const root = document.getElementById('batch-planner') ?? document.body;

window.addEventListener('message', ({ data }: MessageEvent<HostMessage>) => {
  if (data.type === 'hello') setTexts(data.texts);
  if (data.type === 'view') root.replaceChildren(element('h1', {}, t('Plan of {0}', data.view.entryName)));
});
vscodeApi.postMessage({ type: 'ready' });
