// Turns an error of the script, the model or the backend into a report that names the user's own file and line.
import { failureLocation } from '../protocol/failureLocation';
import type { FailureReport } from '../protocol/report';

/** A failure as it is reported; anything may have been thrown. */
export function failureFrom(error: unknown): FailureReport {
  const message = error instanceof Error ? sentenceOf(error) : `thrown: ${String(error)}`;
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  const location = failureLocation(stack);
  return { message, file: location?.file ?? null, line: location?.line ?? null, stack };
}

/** Errors of ours are sentences for a person already; the class of any other error tells something. */
const sentences = new Set([
  'CheckpointMismatchError',
  'DataError',
  'DoesNotFitError',
  'EntryError',
  'ModelFileError',
  'ModelLoadError',
  'RunFolderFaultError',
]);

function sentenceOf({ name, message }: Error): string {
  return sentences.has(name) ? message : `${name}: ${message}`;
}

/**
 * Why an error means that this backend cannot run the script, though another one may: a kernel that it lacks, or a
 * synchronous read that WebGPU has not in Node. Null for every other error.
 */
export function backendUnfitReason(error: unknown): string | null {
  const message = error instanceof Error ? error.message : String(error);
  const kernel = /Kernel '([^']+)' not registered for backend '([^']+)'/.exec(message);
  if (kernel !== null) return `the ${kernel[2]} backend has no kernel ${kernel[1]}`;
  if (/OffscreenCanvas is not defined/.test(message)) {
    return 'the script reads values with dataSync(), which WebGPU cannot do in Node';
  }
  return null;
}
