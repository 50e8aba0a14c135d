// Why a plan cannot be taken somewhere, in a sentence.

/** A plan, form and target that do not go together; `message` is one sentence that says what to choose instead. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}
