// Follows the reports of one measuring child: what is under way, whether it is late, whether it has told everything.
import { engineReport, type EngineReport, type Inspection } from '../../protocol/report';
import { judgeExit, type ExitVerdict } from './exitVerdict';
import type { MemoryWatch } from '../memoryWatch';
import type { ExitStatus } from '../scriptProcess';

/** How long a child may take, in ms. */
export interface EngineTimeouts {
  /** From its start to its first trial: the script may fetch and prepare data, and the self-check runs. */
  readonly startupMs: number;
  /** For each trial. */
  readonly trialMs: number;
}

/** How a child ended. */
export type MeasureEnd =
  /** It left by itself, having told all that it was asked for, or why it could not. */
  | { readonly how: 'reported' }
  /** It died, or hung, in a trial or before; the verdict says what that means. */
  | {
      readonly how: 'died';
      readonly verdict: ExitVerdict;
      /** By a signal that nobody here sent. */
      readonly abrupt: boolean;
    };

export interface ProgressOptions {
  /** The sizes that were asked for. */
  readonly trials: readonly number[];
  readonly timeouts: EngineTimeouts;
  readonly memory: MemoryWatch;
  readonly onReport?: ((report: EngineReport) => void) | undefined;
  readonly onRubbish?: ((line: string) => void) | undefined;
  /** Reads the device while the child still holds its memory; see MeasureRun. */
  readonly readDevice?: (() => Promise<void>) | undefined;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Reports after which nothing more is to come. */
const final: ReadonlySet<EngineReport['type']> = new Set([
  'trialOutOfMemory',
  'selfCheckOutOfMemory',
  'backendUnfit',
  'failed',
  'noBackend',
]);

export class MeasureProgress {
  readonly reports: EngineReport[] = [];
  #expected: number | null = null;
  #ended = 0;
  #underWay: number | null = null;
  #final = false;
  #readingDevice: Promise<void> | null = null;
  #deviceRead = false;
  #usesCuda = false;
  #since: number;
  readonly #now: () => number;

  constructor(private readonly options: ProgressOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#since = this.#now();
  }

  /** Takes a line of the report file. */
  take(line: string): void {
    const report = parseReport(line);
    if (report === null) {
      this.options.onRubbish?.(line);
      return;
    }
    this.reports.push(report);
    this.#follow(report);
    this.options.onReport?.(report);
  }

  /** True once all was told, and the device was read where it had to be: the child may be ended. */
  get isDone(): boolean {
    return this.#final && (this.#readingDevice === null || this.#deviceRead);
  }

  /** Why the child has taken too long; null while it has not. */
  lateness(): string | null {
    if (this.#final) return null;
    const { startupMs, trialMs } = this.options.timeouts;
    const elapsed = this.#now() - this.#since;
    if (this.#underWay !== null) {
      return elapsed <= trialMs
        ? null
        : `Measuring ${this.#underWay} at once took longer than ${seconds(trialMs)} and was ended.`;
    }
    return elapsed <= startupMs
      ? null
      : `The script did not come to its first update within ${seconds(startupMs)} and was ended.`;
  }

  /** What the child's end means; `late` is the reason for which it was ended here. */
  endOf(exit: ExitStatus, late: string | null, stderr: string): MeasureEnd {
    if (this.#final) return { how: 'reported' };
    if (late !== null) return { how: 'died', verdict: { outcome: 'failed', message: late }, abrupt: false };
    if (this.#underWay === null && this.reports.some(({ type }) => type === 'neverTrained'))
      return { how: 'reported' };
    const { memory } = this.options;
    const verdict = judgeExit({
      ...exit,
      trialUnderWay: this.#underWay,
      stderr,
      killedByKernel: memory.killedByKernel(),
      memoryExhausted: memory.isExhausted,
    });
    return { how: 'died', verdict, abrupt: exit.signal !== null || (exit.code ?? 0) > 128 };
  }

  #follow(report: EngineReport): void {
    switch (report.type) {
      case 'process':
        this.options.memory.follow(report.pid);
        break;
      case 'backend':
        this.#usesCuda = report.backend.usesGpu && report.backend.name !== 'webgpu';
        // On WebGPU a process can measure one size only: what it did is known when its device is done.
        this.#expected = report.backend.name === 'webgpu' ? 1 : null;
        break;
      case 'inspected':
        this.#expected = Math.min(
          this.#expected ?? Infinity,
          expectedTrials(this.options.trials, report.inspection),
        );
        this.#final = this.#expected === 0;
        break;
      case 'trialStarted':
        this.#underWay = report.microbatch;
        this.#since = this.#now();
        this.options.memory.stepStarted();
        break;
      case 'trialFits':
        this.#trialEnded();
        break;
      default:
        if (final.has(report.type)) {
          this.#underWay = null;
          this.#final = true;
        } else if (report.type === 'neverTrained' && report.ownLoop) {
          this.#final = true;
        }
    }
  }

  #trialEnded(): void {
    this.#underWay = null;
    this.#since = this.#now();
    this.#ended++;
    if (this.#ended < (this.#expected ?? Infinity)) return;
    this.#final = true;
    if (!this.#usesCuda || this.options.readDevice === undefined) return;
    const done = (): void => {
      this.#deviceRead = true;
    };
    this.#readingDevice = this.options.readDevice().then(done, done);
  }
}

function parseReport(line: string): EngineReport | null {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  return engineReport.safeParse(json).data ?? null;
}

/** How many different sizes a child measures: each is cut to the rows of the first update. */
function expectedTrials(
  trials: readonly number[],
  { passThrough, targetBatchSize, examples }: Inspection,
): number {
  if (passThrough !== null) return 0;
  const rows = Math.min(targetBatchSize, examples ?? targetBatchSize);
  return new Set(trials.map((size) => Math.min(size, rows))).size;
}

function seconds(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}
