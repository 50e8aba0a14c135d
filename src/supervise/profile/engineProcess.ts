// Runs one measuring child from its start to its end, and tells what it found: never more than it reported.
import type { MeasureJob } from '../../protocol/job';
import type { EngineReport } from '../../protocol/report';
import { createJobFiles, type JobRequest } from '../jobFiles';
import { tailLines } from '../lineTail';
import { MeasureProgress, type EngineTimeouts, type MeasureEnd } from './measureProgress';
import { MemoryWatch } from '../memoryWatch';
import { scriptCommand, type NodeFacts, type ScriptRequest } from '../scriptCommand';
import { startScript, type OutputStream } from '../scriptProcess';

export interface MeasureRun {
  readonly job: JobRequest<MeasureJob>;
  /** How the script is started, but for the job's own file. */
  readonly script: Omit<ScriptRequest, 'jobFile'>;
  readonly timeouts: EngineTimeouts;
  /** What the machine can give when the child starts, in bytes; null: unknown. */
  readonly availableBytes: number | null;
  /** Ends the child; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly node?: NodeFacts | undefined;
  readonly temporaryFolder?: string | undefined;
  readonly onReport?: ((report: EngineReport) => void) | undefined;
  readonly onOutput?: ((stream: OutputStream, text: string) => void) | undefined;
  /** Lines in the report file that are no reports. */
  readonly onRubbish?: ((line: string) => void) | undefined;
  /**
   * Called after the last trial that was asked for where the process uses CUDA, which holds its memory for a moment
   * then; the child is ended when it is done.
   */
  readonly readDevice?: (() => Promise<void>) | undefined;
}

export interface MeasureOutcome {
  /** In the order in which they were written. */
  readonly reports: readonly EngineReport[];
  readonly end: MeasureEnd;
  /** Last part of what the script printed. */
  readonly stdout: string;
  readonly stderr: string;
}

/** How often timeouts and memory are looked at, in ms: what a child takes last, it takes quickly. */
const lookMs = 25;

/**
 * Runs a child for a measuring job. Whatever happens (an abort by `signal`, a timeout, an error here), nothing of the
 * child keeps running and no file of it is left. Rejects with the signal's reason when aborted, and with what
 * starting a process or its files throws.
 */
export async function runMeasure(run: MeasureRun): Promise<MeasureOutcome> {
  run.signal?.throwIfAborted();
  const files = await createJobFiles(run.job, run.temporaryFolder);
  try {
    return await runWithFiles(run, files);
  } finally {
    await files.remove();
  }
}

async function runWithFiles(
  run: MeasureRun,
  files: { readonly jobFile: string; readonly reportFile: string },
): Promise<MeasureOutcome> {
  // An abort that came while the files were made: from here to the listener below nothing is waited for.
  run.signal?.throwIfAborted();
  const command = scriptCommand({ ...run.script, jobFile: files.jobFile }, run.node);
  const memory = new MemoryWatch(run.availableBytes);
  const progress = new MeasureProgress({ ...run, trials: run.job.trials, memory });
  const child = startScript(command, { onOutput: run.onOutput });
  const tail = tailLines(files.reportFile, (line) => progress.take(line));
  let late: string | null = null;
  const look = setInterval(() => {
    memory.sample();
    late ??= progress.lateness();
    if (late !== null || progress.isDone) child.kill();
  }, lookMs);
  const abort = (): void => child.kill();
  run.signal?.addEventListener('abort', abort);
  try {
    const exit = await child.exited;
    await tail.finish();
    run.signal?.throwIfAborted();
    const stderr = child.tail('stderr');
    return {
      reports: progress.reports,
      end: progress.endOf(exit, late, stderr),
      stdout: child.tail('stdout'),
      stderr,
    };
  } finally {
    clearInterval(look);
    run.signal?.removeEventListener('abort', abort);
    // A launcher may have ended before what it started.
    child.kill();
    await tail.finish();
  }
}
