// Why a path cannot be planned or trained, in one sentence a person can act on.

export type EntryProblem =
  | 'missing'
  | 'folder'
  | 'unreadable'
  | 'wrongExtension'
  | 'otherFormat'
  | 'notJson'
  | 'notAModel'
  | 'graphModel'
  | 'config';

/** The entry is none that can be planned: a case of bad usage (exit code 2). */
export class EntryError extends Error {
  override readonly name = 'EntryError';
  constructor(
    readonly kind: EntryProblem,
    /** Absolute path that was given. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
