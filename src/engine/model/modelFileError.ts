// What is wrong with the files of a saved model, in one sentence a person can act on.

/** What kind of thing is wrong, for callers that answer some kinds in their own way. */
export type ModelFileProblem =
  | 'missing'
  | 'notJson'
  | 'notAModel'
  | 'weightsMissing'
  | 'weightsSize'
  | 'outsideFolder'
  | 'unreadable'
  | 'unwritable';

/** A model.json or one of its weight files cannot be used; the message names the file. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError';
  constructor(
    readonly kind: ModelFileProblem,
    /** Absolute path of the file (or folder) it is about. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
