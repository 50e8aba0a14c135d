// Columns of a CSV file as a config names them: by number, from the end, by header name, or as a range.
import { nearestName } from '../../../planning/nearestName';

/** Numbers of the columns that `selection` names, in its order. Throws a plain Error that says which part is wrong. */
export function resolveColumns(
  selection: readonly (number | string)[],
  width: number,
  header: readonly string[] | null,
): number[] {
  const byNumber = (number: number): number => {
    const column = number < 0 ? width + number : number;
    if (column < 0 || column >= width) {
      throw new Error(
        `column ${number} is named, but there are ${width} columns (0 to ${width - 1}, or -1 for the last)`,
      );
    }
    return column;
  };
  return selection.flatMap((part) => {
    if (typeof part === 'number') return [byNumber(part)];
    const named = header?.indexOf(part) ?? -1;
    if (named >= 0) return [named];
    const range = /^\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*$/.exec(part);
    if (range) {
      const first = byNumber(Number(range[1]));
      const last = byNumber(Number(range[2]));
      if (last < first) throw new Error(`the range "${part}" ends before it begins`);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    }
    if (header === null) {
      throw new Error(`column "${part}" is named, but the file has no header line with names`);
    }
    const nearest = nearestName(part, header);
    throw new Error(
      `there is no column "${part}" in the header${nearest === null ? '' : `; did you mean "${nearest}"?`}`,
    );
  });
}
