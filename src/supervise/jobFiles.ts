// The files of one job: a private temporary folder with the job, the reports, and nothing left of it afterwards.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { EngineJob } from '../protocol/job';

/** What the files add to a job. */
type FiledPart = 'version' | 'reportFile' | 'parentPid';
/** A job before it has files. */
export type JobRequest<Job extends EngineJob> = Omit<Job, FiledPart>;

export interface JobFiles {
  readonly folder: string;
  readonly jobFile: string;
  readonly reportFile: string;
  /** Removes the folder with all that is in it. */
  remove(): Promise<void>;
}

/** Writes a job into a new folder that only this user can read. */
export async function createJobFiles<Job extends EngineJob>(
  request: JobRequest<Job>,
  temporaryFolder: string = os.tmpdir(),
): Promise<JobFiles> {
  const folder = await mkdtemp(path.join(temporaryFolder, 'batch-planner-'));
  const jobFile = path.join(folder, 'job.json');
  const reportFile = path.join(folder, 'reports.ndjson');
  const job = { ...request, version: 1, reportFile, parentPid: process.pid };
  await writeFile(jobFile, JSON.stringify(job), { mode: 0o600 });
  // A process that is just being ended may still create a file: removal is tried again.
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return { folder, jobFile, reportFile, remove };
}
