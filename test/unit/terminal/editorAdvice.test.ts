// Commands that a sentence advises, where its reader has an editor and no `batch-planner` on the PATH.
import { expect, test } from 'vitest';
import { adviceInEditor, editorCommands } from '../../../src/supervise/train/editorAdvice';
import nls from '../../../package.nls.json' with { type: 'json' };

test.each([
  ['Go on with: batch-planner train a.json --resume', 'Go on with the command "Batch Planner: Resume".'],
  [
    'It was killed. Go on with: batch-planner train "my a.json" --resume --run-dir b\n',
    'It was killed. Go on with the command "Batch Planner: Resume".\n',
  ],
  [
    'Start one with: batch-planner train a.json',
    'Start one with the command "Batch Planner: Start Training".',
  ],
  [
    'Make one with: batch-planner plan <entry>',
    'Make one with the command "Batch Planner: Plan Batch Size".',
  ],
  ['See it with: batch-planner follow a', 'See it with the command "Batch Planner: Open Run".'],
  [
    'without its native part; run "batch-planner setup tensorflow".',
    'without its native part; run "Batch Planner: Set Up TensorFlow".',
  ],
  ['Run folder: .batch-planner/runs/a', 'Run folder: .batch-planner/runs/a'],
])('%s', (sentence, expected) => {
  expect(adviceInEditor(sentence)).toBe(expected);
});

test('the commands are named as the palette shows them', () => {
  const shown = new Set(Object.values(nls));
  expect(Object.values(editorCommands).filter((title) => !shown.has(title))).toEqual([]);
});
