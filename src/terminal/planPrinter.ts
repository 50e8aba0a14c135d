// Shows planning in a terminal: what is going on in a line that is redrawn, and a line that stays for each trial.
import { shownLine, shownLines } from '../planning/shownText';
import { formatBytes, formatCount } from '../planning/units';
import type { Plan } from '../planning/plan';
import type { PlanDisplay, WrittenConfig } from '../supervise/plan/planDisplay';
import type { ProfileProgress } from '../supervise/profile/profiler';
import { fitLine, wrapText } from './fitLine';
import { LiveLine } from './liveLine';
import { elapsed, planLines, trialLine, type LineStyle } from './planLines';
import { terminalStyle, type OutputStream, type TerminalStyle } from './style';

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Between two pictures of the spinner, in ms. */
const spinnerPause = 100;

/** @param now clock in ms */
export function createPlanPrinter(
  out: OutputStream & { write(text: string): unknown },
  style: TerminalStyle = terminalStyle(out),
  now: () => number = () => performance.now(),
): PlanDisplay {
  return new TerminalPlanPrinter(out, style, now);
}

class TerminalPlanPrinter implements PlanDisplay {
  readonly #live: LiveLine;
  #timer: NodeJS.Timeout | null = null;
  #doing = '';
  #budgetBytes: number | undefined;
  #doingSince = 0;
  #picture = 0;

  constructor(
    out: { write(text: string): unknown },
    private readonly style: TerminalStyle,
    private readonly now: () => number,
  ) {
    this.#live = new LiveLine(out);
  }

  started(entry: string): void {
    this.#write([fitLine([{ rank: 0, text: `Planning ${shownLine(entry)}` }], this.#lines.columns)]);
    this.#do('starting the script');
    if (this.style.isLive) this.#timer = setInterval(() => this.#draw(), spinnerPause).unref();
  }

  progress(progress: ProfileProgress): void {
    switch (progress.type) {
      case 'backend':
        this.#say(`On ${progress.backend.name} ${progress.backend.version}, ${progress.backend.reason}`);
        for (const { name, reason } of progress.backend.passedOver)
          this.#say(`  not ${name}: ${reason}`, '    ');
        this.#do('waiting for the script to train');
        break;
      case 'backendPassedOver':
        this.#say(`  not ${progress.name}: ${progress.reason}`, '    ');
        break;
      case 'inspected': {
        const { modelName, parameters, optimizer, method, targetBatchSize } = progress.inspection;
        this.#say(
          `Model ${modelName}: ${formatCount(parameters)} parameters, ${optimizer}, ${method}, ` +
            `${formatCount(targetBatchSize)} examples per update`,
        );
        break;
      }
      case 'budget': {
        this.#budgetBytes = progress.budgetBytes;
        const limit = progress.isBackendLimit ? ', the most that this backend can hold' : '';
        const where = progress.device === null ? 'memory' : progress.device.name;
        if (progress.budgetBytes !== undefined)
          this.#say(`Budget: ${formatBytes(progress.budgetBytes)} of ${where}${limit}`);
        break;
      }
      case 'selfCheck':
        this.#do('finding the largest size');
        break;
      case 'trialStarted':
        this.#do(`trying ${formatCount(progress.microbatch)} at once`);
        break;
      case 'trialEnded':
        this.#write([trialLine(progress.trial, progress.message, this.#lines, this.#budgetBytes)]);
        this.#do('finding the largest size');
        break;
      // Warnings stand in the plan, once it is made.
      case 'warning':
        break;
    }
  }

  finished(plan: Plan, config: WrittenConfig): void {
    this.end();
    this.#write(planLines(plan, config, this.#lines));
  }

  /** Stderr has it. */
  failed(): void {
    this.end();
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#live.end();
  }

  get #lines(): LineStyle {
    return { columns: this.style.columns(), colors: this.style.colors };
  }

  #say(text: string, indent = '  '): void {
    const lines = shownLines(text).split('\n');
    this.#write(lines.flatMap((line) => wrapText(line, this.#lines.columns, indent)));
  }

  #do(what: string): void {
    this.#doing = what;
    this.#doingSince = this.now();
    if (this.#timer !== null) this.#draw();
  }

  #draw(): void {
    const { columns, colors } = this.#lines;
    const picture = spinner[this.#picture++ % spinner.length] ?? '';
    const parts = [
      { rank: 0, text: `${colors.cyan(picture)} ${this.#doing}` },
      { rank: 1, text: elapsed(this.now() - this.#doingSince) },
    ];
    this.#live.draw(fitLine(parts, columns));
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#live.above(`${lines.join('\n')}\n`);
  }
}
