// The errors of a training that a person can correct: told in their own sentence, with the exit code for usage.
import { EntryError } from '../../planning/entryError';
import { RunFolderError } from '../runs/runFolder';
import { RunLockedError } from '../runs/runLock';
import { ScriptCommandError } from '../scriptCommand';
import { TrainingConfigError } from './trainingSupervisorConfig';

export function isMistake(error: unknown): error is Error {
  const mistakes = [TrainingConfigError, EntryError, RunFolderError, RunLockedError, ScriptCommandError];
  return mistakes.some((mistake) => error instanceof mistake);
}
