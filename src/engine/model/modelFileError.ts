// What is wrong with the files of a saved model, in one sentence a person can act on.

/** What kind of thing is wrong, for callers that answer some kinds in their own way. */
export type ModelFileProblem =
  | 'missing'
  | 'notJson'
  | 'notAModel'
  | 'weightsMissing'
  | 'weightsSize'
  | 'outsideFolder'
  | 'namedTwice'
  | 'badName'
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

/** What a model.json that cannot be read is told as. */
export function unreadableModel(file: string, error: unknown): ModelFileError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new ModelFileError('missing', file, `${file} does not exist.`, { cause: error });
  }
  const what = code === 'EISDIR' ? 'is a folder; name the model.json in it' : `cannot be read: ${message}`;
  return new ModelFileError('unreadable', file, `${file} ${what}.`, { cause: error });
}
