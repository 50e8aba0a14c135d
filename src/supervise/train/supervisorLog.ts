// supervisor.log of a run folder: what a supervisor in the background says, a line each with its time, to be shown later.
import path from 'node:path';
import type { TrainingDisplay } from './trainingDisplay';

/** The log of a run that is trained in the background. */
export function supervisorLogOf(runFolder: string): string {
  return path.join(runFolder, 'supervisor.log');
}

export interface LoggedLine {
  /**
   * Time of the last event of the run that was shown before it (ISO 8601 in UTC), by which it finds its place among
   * the events; empty before the first of this process. Null for a line that is no sentence of the supervisor's, such
   * as Node's own.
   */
  readonly after: string | null;
  readonly text: string;
  /** True for what a person is told as an error. */
  readonly isError: boolean;
}

const errorMark = '! ';

/**
 * Shows a training as lines of a log: only what the supervisor itself says. Events and the script's output have files
 * of their own in the run folder.
 * @returns what to hand to the supervisor as its display and as its stderr
 */
export function createSupervisorLog(
  out: { write(text: string): unknown },
  now: () => Date = () => new Date(),
): { display: TrainingDisplay; err: { write(text: string): unknown } } {
  let after = '';
  const write = (text: string, mark: string): void => {
    const head = `${now().toISOString()} [${after}] ${mark}`;
    for (const line of text.replace(/\n$/, '').split('\n')) out.write(`${head}${line}\n`);
  };
  const nothing = (): void => undefined;
  return {
    display: {
      say: (sentence) => write(sentence, ''),
      event: (event, past = false) => {
        if (!past) after = event.time;
      },
      progress: nothing,
      output: nothing,
      refresh: nothing,
      end: nothing,
    },
    err: { write: (text: string) => write(text, errorMark) },
  };
}

/** Reads one line of the log. */
export function parseLogLine(line: string): LoggedLine {
  const [, after, text = ''] = /^\d{4}-\d\d-\d\dT[\d:.]+Z \[([^\]]*)\] (.*)$/.exec(line) ?? [];
  if (after === undefined) return { after: null, text: line, isError: false };
  return text.startsWith(errorMark)
    ? { after, text: text.slice(errorMark.length), isError: true }
    : { after, text, isError: false };
}
