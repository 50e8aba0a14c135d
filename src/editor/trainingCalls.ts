// Finds the training calls of a script in its text, for the CodeLens above them and the batch size they propose. No vscode.

/** A call of fit, fitDataset or trainOnBatch. */
export interface TrainingCall {
  readonly method: 'fit' | 'fitDataset' | 'trainOnBatch';
  /** 0-based line of the method's name. */
  readonly line: number;
  /** The call's own `batchSize` where it stands there as a number, or as a constant that is one; null where it does not. */
  readonly batchSize: number | null;
}

/** Beyond this nobody writes by hand, and a search would take too long on every key. */
const longestText = 2_000_000;

/**
 * The training calls of a script, in order; none in a text that has nothing of TensorFlow.js, as other libraries have
 * `fit` too. Comments and strings are passed over.
 */
export function findTrainingCalls(text: string): TrainingCall[] {
  if (text.length > longestText || !/tensorflow|\btf\b/.test(text)) return [];
  const code = withoutCommentsAndStrings(text);
  const calls: TrainingCall[] = [];
  let line = 0;
  let counted = 0;
  for (const match of code.matchAll(/\.\s*(fit|fitDataset|trainOnBatch)\s*\(/g)) {
    const [whole, method] = match;
    if (method === undefined) continue;
    const name = match.index + whole.indexOf(method);
    for (; counted < name; counted++) if (code[counted] === '\n') line++;
    const batchSize = method === 'fit' ? batchSizeIn(code, match.index + whole.length) : null;
    calls.push({ method: method as TrainingCall['method'], line, batchSize });
  }
  return calls;
}

/** The number that `batchSize` is in the arguments that begin at `start`. */
function batchSizeIn(code: string, start: number): number | null {
  let depth = 1;
  let end = start;
  for (; end < code.length && depth > 0; end++) {
    if (code[end] === '(') depth++;
    else if (code[end] === ')') depth--;
  }
  const found = /\bbatchSize\b(?:\s*:\s*([\w$]+)\s*(?=[,}\n]))?/.exec(code.slice(start, end));
  if (found === null) return null;
  const value = found[1] ?? 'batchSize';
  return wholeNumber(value) ?? constant(code, value);
}

function constant(code: string, name: string): number | null {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return null;
  const escaped = name.replaceAll('$', '\\$');
  const values = [
    ...code.matchAll(
      new RegExp(`\\b(?:const|let|var)\\s+${escaped}\\s*(?::\\s*number\\s*)?=\\s*([\\w]+)\\s*[;,\\n]`, 'g'),
    ),
  ];
  // Two of that name: which one holds here cannot be told by looking.
  return values.length === 1 ? wholeNumber(values[0]?.[1] ?? '') : null;
}

function wholeNumber(text: string): number | null {
  if (!/^\d[\d_]*$/.test(text)) return null;
  const value = Number(text.replaceAll('_', ''));
  return value >= 1 && Number.isSafeInteger(value) ? value : null;
}

/** The same text with comments and the insides of strings blanked; offsets and lines stay. */
function withoutCommentsAndStrings(text: string): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ');
  return text.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g,
    blank,
  );
}
