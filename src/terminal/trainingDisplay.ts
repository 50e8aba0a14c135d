// Shows a training in a terminal: a line that is redrawn, or plain lines where nothing can be redrawn.
import { stripVTControlCharacters } from 'node:util';
import { warningText } from '../planning/describe';
import { shownLine, shownLines } from '../planning/shownText';
import { formatCount } from '../planning/units';
import type { RunEvent } from '../protocol/runEvents';
import type { RunProgress } from '../protocol/runProgress';
import type { TrainingDisplay } from '../supervise/train/trainingDisplay';
import { wrapText } from './fitLine';
import { LiveLine } from './liveLine';
import { ScriptOutput } from '../supervise/runs/scriptOutput';
import { terminalStyle, type OutputStream, type TerminalStyle } from './style';
import { epochLine, progressLine } from './trainingLines';
import { TrainingProgress } from '../supervise/runs/trainingProgress';

/** Between two lines within an epoch where nothing can be redrawn, in ms: more as the training gets longer. */
const plainPause = { least: 10_000, most: 60_000, share: 0.02 } as const;

/** @param now clock in ms, for the plain lines' pauses */
export function createTrainingDisplay(
  out: OutputStream & { write(text: string): unknown },
  style: TerminalStyle = terminalStyle(out),
  now: () => number = () => performance.now(),
): TrainingDisplay {
  return new TerminalTrainingDisplay(out, style, now);
}

/**
 * A process that follows one that died writes into the run's events why it is there. Its supervisor has told it in a
 * sentence of its own, with what is done about it.
 */
class RecoveryEcho {
  #processes = 0;
  #isRight = false;

  isToldAlready(event: RunEvent): boolean {
    if (event.type === 'started') {
      this.#processes++;
      this.#isRight = this.#processes > 1;
      return false;
    }
    if (!this.#isRight) return false;
    const { type } = event;
    // Of notes, the first: what follows tells of the checkpoint, or of the script.
    this.#isRight = type === 'outOfMemory';
    return type === 'outOfMemory' || type === 'microbatchReduced' || type === 'warning';
  }
}

class TerminalTrainingDisplay implements TrainingDisplay {
  readonly #progress = new TrainingProgress();
  readonly #live: LiveLine;
  readonly #script = new ScriptOutput();
  readonly #echo = new RecoveryEcho();
  readonly #startTime: number;
  #plainTime: number;
  #plainUpdates = 0;
  #hasEnded = false;
  /** Told with what is done about it, which the next event says. */
  #ranOut: Extract<RunEvent, { type: 'outOfMemory' }> | null = null;

  constructor(
    out: { write(text: string): unknown },
    private readonly style: TerminalStyle,
    private readonly now: () => number,
  ) {
    this.#live = new LiveLine(out);
    this.#startTime = now();
    this.#plainTime = this.#startTime;
  }

  say(sentence: string): void {
    const lines = shownLines(sentence).split('\n');
    this.#write(lines.flatMap((line) => wrapText(line, this.style.columns())));
  }

  #note(text: string): void {
    const note = `${this.style.colors.yellow('Note:')} ${shownLine(text)}`;
    this.#write(wrapText(note, this.style.columns()));
  }

  event(event: RunEvent, past = false): void {
    this.#progress.add(event);
    if (past || this.#echo.isToldAlready(event)) return;
    const { colors } = this.style;
    if (event.type === 'outOfMemory') {
      this.#tellRanOut();
      this.#ranOut = event;
      return;
    }
    if (event.type === 'microbatchReduced' && this.#ranOut !== null) {
      this.#tellRanOut(`: going on with ${event.to} at once`);
      return;
    }
    this.#tellRanOut();
    switch (event.type) {
      case 'epoch':
        this.#write([epochLine(event, this.#progress, this.style.columns(), colors)]);
        this.#plainTime = this.now();
        break;
      case 'warning':
        this.#note(warningText(event.warning));
        break;
      case 'microbatchReduced':
        this.#note(`microbatch ${event.from} → ${event.to}: ${event.reason}`);
        break;
      case 'microbatchGrown':
        this.say(`Microbatch ${event.from} → ${event.to}, after updates without trouble.`);
        break;
      case 'paused':
        this.say(`Paused after update ${formatCount(event.update)}; the state is saved.`);
        break;
      case 'resumed':
        this.say(
          `Going on from epoch ${formatCount(event.epoch + 1)}, update ${formatCount(event.update + 1)}.`,
        );
        break;
      default:
    }
  }

  #tellRanOut(done = ''): void {
    if (this.#ranOut === null) return;
    const { microbatch, message } = this.#ranOut;
    this.#ranOut = null;
    this.#note(`out of memory at microbatch ${microbatch} (${message})${done}.`);
  }

  progress(progress: RunProgress): void {
    this.#progress.addProgress(progress);
  }

  output(text: string): void {
    this.#writeOutput(this.#script.add(text));
  }

  refresh(): void {
    if (this.#hasEnded) return;
    if (this.style.isLive) {
      this.#live.draw(progressLine(this.#progress, this.style.columns(), this.style.colors));
    } else if (this.#isPlainTime() && this.#progress.updates !== this.#plainUpdates) {
      this.#plainTime = this.now();
      this.#plainUpdates = this.#progress.updates;
      this.#write([progressLine(this.#progress, this.style.columns(), this.style.colors, false)]);
    }
  }

  #isPlainTime(): boolean {
    const { least, most, share } = plainPause;
    const now = this.now();
    const pause = Math.min(most, Math.max(least, share * (now - this.#startTime)));
    return now - this.#plainTime >= pause;
  }

  end(): void {
    this.#tellRanOut();
    this.#writeOutput(this.#script.end());
    this.#live.end();
    this.#hasEnded = true;
  }

  /** A script may colour what it prints although nobody sees colours here. */
  #writeOutput(lines: readonly string[]): void {
    this.#write(this.style.colors.isColorSupported ? lines : lines.map(stripVTControlCharacters));
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#live.above(`${lines.join('\n')}\n`);
  }
}
