// The one output channel: the environment at the start, what goes wrong, and what children say (at trace level).
import os from 'node:os';
import * as vscode from 'vscode';

/** Creates the channel; the first line says what this is and where it runs. */
export function createLog(version: string): vscode.LogOutputChannel {
  const log = vscode.window.createOutputChannel('Batch Planner', { log: true });
  log.info(environmentLine(version));
  return log;
}

/** Versions and machine, for the log and for reports of bugs. */
export function environmentLine(version: string): string {
  const remote = vscode.env.remoteName === undefined ? '' : `, remote: ${vscode.env.remoteName}`;
  return (
    `Batch Planner ${version}, VS Code ${vscode.version} (${vscode.env.appName}${remote}), ` +
    `extension host Node ${process.versions.node}, ${os.platform()} ${os.release()} ${process.arch}`
  );
}

/** An error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
