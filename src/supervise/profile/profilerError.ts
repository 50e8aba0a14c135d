// The errors of profiling: each with what a person needs, and the exit code of the command line.
import { failureLocation } from '../../protocol/failureLocation';
import { exitCodes, type ExitCode } from '../../protocol/exitCodes';
import type { FailureReport } from '../../protocol/report';

export type ProfileProblem =
  /** The script, the model or the backend failed, or the process died or hung. */
  | 'failed'
  /** The script ended without training a LayersModel. */
  | 'neverTrained'
  /** No backend can be used. */
  | 'noBackend';

/** Profiling ended without an answer. The message is one or two sentences for a person. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly exitCode: ExitCode;

  constructor(
    readonly problem: ProfileProblem,
    message: string,
    /** The user's own file and line, and the stack, where there is one. */
    readonly failure: FailureReport | null = null,
    /** Last lines of what the script printed on stderr, for the log. */
    readonly stderr: string = '',
  ) {
    super(message);
    this.exitCode = problem === 'noBackend' ? exitCodes.noBackend : exitCodes.failed;
  }
}

/** A failure whose place is found on stderr where the error itself does not name it (syntax errors of ES modules). */
export function withLocation(failure: FailureReport, stderr: string): FailureReport {
  if (failure.file !== null) return failure;
  const location = failureLocation(stderr);
  return location === null ? failure : { ...failure, file: location.file, line: location.line };
}

/** The failure of a process that only printed why it ended: Node's report of an error, read from stderr. */
export function failureOnStderr(stderr: string): FailureReport | null {
  const message = /^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception)\b.*)$/m.exec(stderr)?.[1];
  if (message === undefined) return null;
  const location = failureLocation(stderr);
  return { message, file: location?.file ?? null, line: location?.line ?? null, stack: stderr.slice(-8_192) };
}
