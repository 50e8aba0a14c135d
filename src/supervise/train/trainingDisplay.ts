// What the supervisor shows of a training; the terminal's view of it is handed in.
import type { RunEvent } from '../../protocol/runEvents';
import type { RunProgress } from '../../protocol/runProgress';

export interface TrainingDisplay {
  /** A sentence of Batch Planner's own. */
  say(sentence: string): void;
  /** An event of the run; `past` for one of an earlier process of it, which is not told again. */
  event(event: RunEvent, past?: boolean): void;
  /** How far the update in the making is. */
  progress(progress: RunProgress): void;
  /** What the script wrote on stdout or stderr, in pieces as they come. */
  output(text: string): void;
  /** Redraws; called several times a second. */
  refresh(): void;
  /** Leaves the terminal as it was found. Nothing is shown after it but sentences. */
  end(): void;
}
