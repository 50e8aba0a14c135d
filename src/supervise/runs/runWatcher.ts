// Follows one run folder, whoever started the run: its events, its record, its lock, its output. Never blocks the thread.
import { controlRequest, type ControlRequest } from '../../protocol/job';
import type { RunState, RunView } from '../../protocol/page';
import type { RunEvent, RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from './runFolder';
import { readJson, readRunProgress, readRunRecord, writeControl } from './runFolderFiles';
import { RunHistory } from './runHistory';
import { fileStamp, recordedState, type RecordedState } from './runSummary';
import { TrainingProgress } from './trainingProgress';
import { RunEventReader } from './runWatcherEvents';
import { failureOf } from './runWatcherFailure';
import { OutputTail } from './runWatcherOutput';
import { isActive, overheadOf, stateNow, viewOf } from './runWatcherState';

export interface RunWatcherOptions {
  /** The view or the history is another one now. */
  onChange(): void;
  /** The folder cannot be looked at; the next look may succeed. Told once as long as it is the same. */
  onError?(error: unknown): void;
  /** Between two looks, in ms. */
  readonly pauseMs?: number;
  /** Clock in ms. */
  readonly now?: () => number;
}

/** Least time between two looks at the record and the lock, in ms. */
const recordPause = 1_000;
/** Between two looks at a run that has ended, or whose folder is gone, in ms: it may be resumed, deleted, or come back. */
const endedPause = 2_000;

/** All that was read of a run; thrown away whole where the folder holds another run. */
interface Reading {
  record: RunRecord;
  recorded: RecordedState;
  stamp: string;
  readonly overheadBytes: number;
  readonly history: RunHistory;
  readonly progress: TrainingProgress;
  readonly events: RunEventReader;
  readonly output: OutputTail;
  failure: RunView['failure'];
}

export class RunWatcher {
  readonly #pauseMs: number;
  readonly #now: () => number;
  #reading: Reading | null = null;
  #history: RunHistory;
  #asked: ControlRequest['request'] | null = null;
  /** Counts own requests: what was read of the control file before one is out of date. */
  #requests = 0;
  #recordTime = -Infinity;
  #isGone = false;
  #view: RunView | null = null;
  #viewText = '';
  #isActive = false;
  #isDisposed = false;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #queued: Promise<void> | null = null;
  #problem = '';

  constructor(
    readonly paths: RunPaths,
    private readonly options: RunWatcherOptions,
  ) {
    this.#pauseMs = options.pauseMs ?? 250;
    this.#now = options.now ?? (() => performance.now());
    this.#history = new RunHistory(paths.name, 0);
  }

  /** Empty until the first look; another object, of a larger revision, where the folder holds another run. */
  get history(): RunHistory {
    return this.#history;
  }

  /** Null until the run was read, and where the folder never held one. */
  view(): RunView | null {
    return this.#view;
  }

  /** Looks from now on, at once and again and again. */
  start(): void {
    this.setActive(true);
  }

  /** With false nothing is looked at but by `look`, until it is true again. */
  setActive(isLooking: boolean): void {
    if (this.#isActive === isLooking || this.#isDisposed) return;
    this.#isActive = isLooking;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (isLooking) void this.#lookAndGoOn();
  }

  /**
   * Looks at everything now; resolves when it is in the view.
   * @throws the file system's error; what was read before stays
   */
  look(): Promise<void> {
    if (this.#looking === null) return this.#once(true);
    // What is looked at just now may be older than what the caller knows of.
    this.#queued ??= this.#looking
      .catch(() => undefined)
      .then(() => {
        this.#queued = null;
        return this.#once(true);
      });
    return this.#queued;
  }

  /**
   * Asks the run to pause, to go on, to stop (saved), or to end at once (not saved). Nothing is asked of a run that
   * has ended.
   * @throws the file system's error where it cannot be asked
   */
  async request(request: ControlRequest['request']): Promise<void> {
    if (this.#view !== null && !isActive(this.#view.state)) return;
    await writeControl(this.paths, request);
    this.#requests++;
    this.#asked = request;
    this.#show();
  }

  /** No more looks; resolves when one that is under way has ended. */
  async dispose(): Promise<void> {
    this.setActive(false);
    this.#isDisposed = true;
    await (this.#queued ?? this.#looking)?.catch(() => undefined);
  }

  async #lookAndGoOn(): Promise<void> {
    try {
      await (this.#looking ?? this.#once(false));
      this.#problem = '';
    } catch (error) {
      const problem = String(error);
      if (problem !== this.#problem) this.options.onError?.(error);
      this.#problem = problem;
    }
    if (!this.#isActive || this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        void this.#lookAndGoOn();
      },
      this.#hasSettled ? Math.max(endedPause, this.#pauseMs) : this.#pauseMs,
    );
  }

  /** The run has ended and all of it is read, or it is gone. */
  get #hasSettled(): boolean {
    return this.#view !== null && !isActive(this.#view.state);
  }

  #once(isWhole: boolean): Promise<void> {
    this.#looking = this.#lookNow(isWhole).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookNow(isWhole: boolean): Promise<void> {
    if (this.#isDisposed) return;
    const wasSettled = this.#hasSettled;
    const recordBefore = this.#reading?.record;
    if (isWhole || wasSettled || this.#now() - this.#recordTime >= recordPause) await this.#readRecord();
    const reading = this.#reading;
    if (reading === null || this.#isGone) {
      this.#show();
      return;
    }
    const isEnded = isEndedState(reading.recorded);
    // The record was looked at first: of a run that has ended, all events are there by now.
    const isSame = reading.record === recordBefore && this.#view?.state === reading.recorded;
    if (wasSettled && isEnded && isSame) return;
    const before = reading.history.totals.ended;
    const hasNew = await this.#readFiles(reading);
    const { ended } = reading.history.totals;
    // The training process says that it has ended: the supervisor's word comes next.
    if (ended !== before && ended !== null && !isEnded) this.#recordTime = -Infinity;
    if (isEnded && reading.recorded === 'failed') {
      const { record, history, output } = reading;
      reading.failure = await failureOf(this.paths, record, history.totals, output.text);
    }
    this.#show(hasNew);
  }

  /** The record, and whether its processes live. A record that cannot be read leaves the last one. */
  async #readRecord(): Promise<void> {
    this.#recordTime = this.#now();
    const stamp = await fileStamp(this.paths.record);
    this.#isGone = stamp === null;
    if (stamp === null) return;
    const isNew = stamp !== this.#reading?.stamp;
    const record = (isNew ? await readRunRecord(this.paths) : null) ?? this.#reading?.record;
    if (record === undefined) return;
    const now = await recordedState(this.paths, record);
    if (this.#reading?.record.startedAt === record.startedAt) {
      Object.assign(this.#reading, { record: now.record, recorded: now.state, stamp });
    } else this.#startReading(now.record, now.state, stamp);
  }

  #startReading(record: RunRecord, recorded: RecordedState, stamp: string): void {
    const revision = this.#history.revision + 1;
    this.#history = new RunHistory(this.paths.name, Date.parse(record.startedAt), revision);
    this.#reading = {
      record,
      recorded,
      stamp,
      overheadBytes: overheadOf(record),
      history: this.#history,
      progress: new TrainingProgress(),
      events: new RunEventReader(this.paths.events),
      output: new OutputTail(this.paths.log),
      failure: null,
    };
  }

  /** @returns whether there were new events */
  async #readFiles(reading: Reading): Promise<boolean> {
    const { history, progress, events, output, overheadBytes } = reading;
    let count = 0;
    const add = (told: RunEvent): void => {
      const event = withOverhead(told, overheadBytes);
      count++;
      history.add(event);
      progress.add(event);
    };
    const isOther = await events.read(add, () => !this.#isDisposed);
    if (isOther) return this.#readAnew(reading);
    await output.read();
    const made = await readRunProgress(this.paths);
    if (made) progress.addProgress(made);
    const requests = this.#requests;
    const control = controlRequest.safeParse(await readJson(this.paths.control));
    if (requests === this.#requests) this.#asked = control.success ? control.data.request : null;
    return count > 0;
  }

  /** The events are others, or gone: with the folder, whose run stays as it was known, or in it. */
  async #readAnew(before: Reading): Promise<boolean> {
    await this.#readRecord();
    if (this.#isGone || this.#isDisposed) return false;
    if (this.#reading === before) this.#startReading(before.record, before.recorded, before.stamp);
    return this.#reading === null || this.#readFiles(this.#reading);
  }

  /** Makes the view anew, and tells where anything is another than before. */
  #show(hasNew = false): void {
    const reading = this.#reading;
    if (reading === null || this.#isDisposed) return;
    const { record, history, progress, output, failure } = reading;
    const state = this.#state(reading);
    const view = viewOf({
      paths: this.paths,
      record,
      state,
      totals: history.totals,
      progress,
      output: output.text,
      failure: state === 'failed' ? failure : null,
    });
    const text = JSON.stringify(view);
    if (!hasNew && text === this.#viewText) return;
    this.#view = view;
    this.#viewText = text;
    this.options.onChange();
  }

  #state({ record, recorded, progress, history }: Reading): RunState {
    if (this.#isGone) return 'gone';
    const { isPaused, replay } = progress;
    return stateNow({
      record,
      recorded,
      asked: this.#asked,
      isPaused,
      isReplaying: replay !== null,
      attempt: history.totals.started?.attempt ?? 0,
    });
  }
}

/** A training tells of its tensors: what the process needs besides counts against the budget too. */
function withOverhead(event: RunEvent, overheadBytes: number): RunEvent {
  if (event.type !== 'update' || event.memoryBytes === null || overheadBytes === 0) return event;
  return { ...event, memoryBytes: event.memoryBytes + overheadBytes };
}

function isEndedState(state: RecordedState): boolean {
  return state === 'completed' || state === 'stopped' || state === 'failed' || state === 'interrupted';
}
