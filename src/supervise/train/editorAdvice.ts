// Sentences of the command line as they stand in an editor's terminal, whose reader need not have `batch-planner` on the PATH.
import type { TrainingDisplay } from './trainingDisplay';

/** Titles of the editor's commands, by the command line's words for the same. */
export const editorCommands = {
  train: 'Start Training',
  resume: 'Resume',
  stop: 'Stop',
  follow: 'Open Run',
  runs: 'Open Run',
  plan: 'Plan Batch Size',
  setup: 'Set Up TensorFlow',
} as const;

/** Names the editor's command in place of each command line that a text advises. */
export function adviceInEditor(text: string): string {
  return text
    .replace(/ with: batch-planner (train|follow|runs|plan)\b(.*)$/gm, (_, word: Advised, rest: string) => {
      const name = word === 'train' && rest.includes(' --resume') ? 'resume' : word;
      return ` with the command ${inEditor(name)}.`;
    })
    .replaceAll('"batch-planner setup tensorflow"', inEditor('setup'));
}
type Advised = 'train' | 'follow' | 'runs' | 'plan';

/** A command as the palette shows it, in quotation marks. */
export function inEditor(name: keyof typeof editorCommands): string {
  return `"Batch Planner: ${editorCommands[name]}"`;
}

/** The same display, with the advice of an editor. */
export function displayInEditor(display: TrainingDisplay): TrainingDisplay {
  return {
    say: (sentence) => display.say(adviceInEditor(sentence)),
    event: (event, past) => display.event(event, past),
    progress: (progress) => display.progress(progress),
    output: (text) => display.output(text),
    refresh: () => display.refresh(),
    end: () => display.end(),
  };
}
