// Why a run failed, from what it left in its folder: its last event, the hook's reports, or the end of its output.
import { failureLocation } from '../../protocol/failureLocation';
import type { RunView } from '../../protocol/page';
import { PlainFileError, readPlainText } from '../../protocol/plainFile';
import { engineReport, type EngineReport } from '../../protocol/report';
import type { RunRecord } from '../../protocol/runEvents';
import { judgeAttempt } from '../train/trainingSupervisorOutcome';
import type { RunPaths } from './runFolder';
import type { RunTotals } from './runHistoryTotals';

/**
 * What the supervisor said of the end when it was there, said again.
 * @param output the last lines that the script wrote
 * @throws the file system's error; a file that is missing is none
 */
export async function failureOf(
  paths: RunPaths,
  record: RunRecord,
  totals: RunTotals,
  output: string,
): Promise<RunView['failure']> {
  const { ended, lastUpdate, updates, epochs, callHasEnded } = totals;
  if (ended?.failure) {
    const { message, file, line } = ended.failure;
    return { message, file, line };
  }
  const reports = await lastReports(paths.reports);
  const reported = reports.findLast(({ type }) => type === 'failed');
  if (reported?.type === 'failed') {
    const { message, file, line } = reported.failure;
    return { message, file, line };
  }
  const { sentences } = judgeAttempt({
    code: ended?.exitCode ?? null,
    signal: null,
    ended,
    lastUpdate,
    updates,
    epochs: epochs.length,
    callHasEnded,
    isResumed: record.attempts > 1,
    reports,
    output,
    killed: false,
    folderIsGone: false,
  });
  const location = failureLocation(output);
  return { message: sentences.join('\n'), file: location?.file ?? null, line: location?.line ?? null };
}

/** Of the last training process: each tells its backend first. */
async function lastReports(file: string): Promise<EngineReport[]> {
  const text = await readPlainText(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error instanceof PlainFileError) return '';
    throw error;
  });
  const reports = text.split('\n').flatMap(parseReport);
  return reports.slice(
    Math.max(
      0,
      reports.findLastIndex(({ type }) => type === 'backend'),
    ),
  );
}

/** Lines that are not reports (another program's, or torn) are none. */
function parseReport(line: string): EngineReport[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  const checked = engineReport.safeParse(value);
  return checked.success ? [checked.data] : [];
}
