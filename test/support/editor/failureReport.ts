// After a test that failed: a picture of every open window, and the last lines of its logs, on the test's output.
import { afterEach } from 'vitest';
import { openEditors } from './openEditor';

const logLines = 30;

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const [index, editor] of [...openEditors].entries()) {
    const name = `failed-${task.name.replace(/\W+/g, '-').slice(0, 60)}-${index}`;
    console.log(
      `picture: ${await editor.screenshot(name).catch((error: unknown) => `none: ${String(error)}`)}`,
    );
    for (const [title, text] of [
      ['console', editor.consoleText()],
      ['server', editor.server.agentLog()],
      ['extension host', editor.server.extensionHostLog()],
      ['Batch Planner', editor.server.channelLog('Batch Planner')],
    ]) {
      console.log(`${title}:\n${text?.trimEnd().split('\n').slice(-logLines).join('\n') || '(nothing)'}`);
    }
  }
});
