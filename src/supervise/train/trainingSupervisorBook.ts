// What a supervisor writes of its run: run.json, and the end in the events where no process was left to tell it.
import { open } from 'node:fs/promises';
import { fileRemedy, fileTrouble } from '../../protocol/fileTrouble';
import type { RunEvent, RunRecord } from '../../protocol/runEvents';
import type { RunPaths } from '../runs/runFolder';
import { writeRunRecord } from '../runs/runFolderFiles';
import type { TrainingDisplay } from './trainingDisplay';
import type { Verdict } from './trainingSupervisorOutcome';

export class RunBook {
  constructor(
    private readonly paths: RunPaths,
    private readonly display: Pick<TrainingDisplay, 'say'>,
    private current: RunRecord,
  ) {}

  get record(): RunRecord {
    return this.current;
  }

  /** @throws the file system's error */
  async update(change: Partial<RunRecord>): Promise<void> {
    this.current = { ...this.current, ...change };
    await writeRunRecord(this.paths, this.current);
  }

  /** A disk that is full is no reason to end a training that goes on without its record. */
  async tryUpdate(change: Partial<RunRecord>): Promise<void> {
    await this.update(change).catch((error: unknown) =>
      this.display.say(cannotTell(this.paths.record, error)),
    );
  }

  /** Appends the end of a run whose last process died without a word. */
  async tryTellEnd({ exitCode, sentences }: Verdict): Promise<void> {
    const failure = { message: sentences.join(' '), file: null, line: null, stack: '' };
    const time = new Date().toISOString();
    const event: RunEvent = { type: 'ended', time, how: 'failed', exitCode, failure };
    await appendLine(this.paths.events, JSON.stringify(event)).catch((error: unknown) =>
      this.display.say(cannotTell(this.paths.events, error)),
    );
  }
}

function cannotTell(file: string, error: unknown): string {
  return `${file} cannot be written: ${fileTrouble(error)}. ${fileRemedy(error)}.`;
}

/** On a line of its own, also where a process died in the middle of one. */
async function appendLine(file: string, line: string): Promise<void> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const isTorn = size > 0 && last.toString() !== '\n';
    await handle.writeFile(`${isTorn ? '\n' : ''}${line}\n`);
  } finally {
    await handle.close();
  }
}
