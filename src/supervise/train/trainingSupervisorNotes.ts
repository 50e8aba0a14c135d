// What one training process has told of itself so far: how it ended, what it did, and where its memory stood.
import type { EngineReport } from '../../protocol/report';
import type { RunEvent } from '../../protocol/runEvents';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** As much of the end of the output as is kept to find the cause of a death. */
const keptOutput = 16_384;

/** What the sentences about an end are made of. */
export interface EndFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How it said that it ended; null where it died without a word. */
  readonly ended: EventOf<'ended'> | null;
  readonly lastUpdate: EventOf<'update'> | null;
  readonly updates: number;
  readonly epochs: number;
  /** True where the last training call had ended: what came after was the script's own. */
  readonly callHasEnded: boolean;
  /** True where an earlier attempt of this run had trained. */
  readonly isResumed: boolean;
  readonly reports: readonly EngineReport[];
  /** End of what the script wrote. */
  readonly output: string;
  /** Ended by this supervisor, without waiting. */
  readonly killed: boolean;
  /** The run folder was deleted: nothing can be saved or asked any more, so the process was ended. */
  readonly folderIsGone: boolean;
}

/** Everything that is known of a training process that has ended. */
export interface AttemptOutcome extends EndFacts {
  /** It was asked to stop. */
  readonly stopAsked: boolean;
  /** It came to its first training call. */
  readonly hasStarted: boolean;
  /** The largest microbatch that it was allowed, and the most rows that it took at once. */
  readonly microbatchSize: number;
  readonly microbatch: number;
  /** False in a call whose updates cannot be cut. */
  readonly canCut: boolean;
  /** Memory ran out, and no update was done since. */
  readonly outOfMemory: EventOf<'outOfMemory'> | null;
  /** What the script wrote since its last update. */
  readonly textSinceUpdate: string;
  readonly killedByKernel: boolean | null;
  readonly memoryExhausted: boolean | null;
}

/** Gathers events, reports and output of one process. */
export class AttemptNotes {
  readonly reports: EngineReport[] = [];
  #started: EventOf<'started'> | null = null;
  #ended: EventOf<'ended'> | null = null;
  #call: EventOf<'call'> | null = null;
  #lastUpdate: EventOf<'update'> | null = null;
  #updates = 0;
  #epochs = 0;
  #callHasEnded = false;
  #trains = false;
  #outOfMemory: EventOf<'outOfMemory'> | null = null;
  #microbatch: number;
  #output = '';
  #textSinceUpdate = '';

  /** @param firstMicrobatchSize the size that it begins with */
  constructor(firstMicrobatchSize: number) {
    this.#microbatch = firstMicrobatchSize;
  }

  get started(): EventOf<'started'> | null {
    return this.#started;
  }

  get updates(): number {
    return this.#updates;
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'started':
        this.#started = event;
        break;
      case 'call':
        this.#call = event;
        this.#callHasEnded = false;
        this.#trains = true;
        break;
      case 'resumed':
        this.#trains = true;
        break;
      case 'update':
        this.#updates++;
        this.#lastUpdate = event;
        this.#trains = true;
        this.#outOfMemory = null;
        this.#textSinceUpdate = '';
        break;
      case 'epoch':
        this.#epochs++;
        break;
      case 'callEnded':
        this.#callHasEnded = true;
        break;
      case 'outOfMemory':
        // Right after its start it tells of the process before it.
        if (this.#trains) this.#outOfMemory = event;
        break;
      case 'microbatchReduced':
      case 'microbatchGrown':
        this.#microbatch = event.to;
        break;
      case 'ended':
        this.#ended = event;
        break;
      default:
    }
  }

  report(report: EngineReport): void {
    this.reports.push(report);
  }

  text(text: string): void {
    this.#output = (this.#output + text).slice(-keptOutput);
    this.#textSinceUpdate = (this.#textSinceUpdate + text).slice(-keptOutput);
  }

  get facts(): Pick<
    AttemptOutcome,
    | 'ended'
    | 'lastUpdate'
    | 'updates'
    | 'epochs'
    | 'callHasEnded'
    | 'reports'
    | 'output'
    | 'hasStarted'
    | 'microbatchSize'
    | 'microbatch'
    | 'canCut'
    | 'outOfMemory'
    | 'textSinceUpdate'
  > {
    return {
      ended: this.#ended,
      lastUpdate: this.#lastUpdate,
      updates: this.#updates,
      epochs: this.#epochs,
      callHasEnded: this.#callHasEnded,
      reports: this.reports,
      output: this.#output,
      hasStarted: this.#started !== null,
      microbatchSize: this.#microbatch,
      microbatch: this.#microbatchInUse(),
      canCut: (this.#call?.passThrough ?? null) === null,
      outOfMemory: this.#outOfMemory,
      textSinceUpdate: this.#textSinceUpdate,
    };
  }

  /** A model with few examples, or the last update of an epoch, takes fewer rows than the microbatch may have. */
  #microbatchInUse(): number {
    const { examples = null, targetBatchSize = null } = this.#call ?? {};
    const most = Math.min(this.#microbatch, examples ?? Infinity, targetBatchSize ?? Infinity);
    return Math.max(1, Math.min(most, this.#outOfMemory?.microbatch ?? Infinity));
  }
}
