// The child's side of the report file: one JSON line a report, written synchronously so that none is lost at death.
import { openSync, writeSync } from 'node:fs';
import type { EngineReport } from '../protocol/report';

/** Appends a report to the job's report file. */
export type SendReport = (report: EngineReport) => void;

/**
 * A sender for a report file. The file is opened for appending at the first report, so that launchers that never
 * report leave it alone, and so that several processes of one job may write side by side.
 * Throws what the file system throws: a child that cannot report is of no use.
 */
export function createSender(reportFile: string): SendReport {
  let descriptor: number | null = null;
  return (report) => {
    descriptor ??= openSync(reportFile, 'a', 0o600);
    const line = Buffer.from(`${JSON.stringify(report)}\n`);
    for (let written = 0; written < line.length;) written += writeSync(descriptor, line, written);
  };
}
