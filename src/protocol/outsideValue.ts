// Checks what comes from outside against a schema, whatever it is: zod alone throws on some of it.
import * as z from 'zod';

/**
 * As the schema's `safeParse`, and never throws for a value's shape. zod compares the length of whatever has one, also
 * where it is no text or list, and a comparison with an object throws a TypeError: a value in which an object stands as a
 * "length", at any depth, fails here before it comes to that.
 */
export function checkOutside<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  if (!hasObjectAsLength(value)) return schema.safeParse(value);
  return z.custom<z.output<Schema>>(() => false, '"length" cannot be an object').safeParse(value);
}

/** Without recursion: a value may be nested deeper than the stack. It may also lead back into itself. */
function hasObjectAsLength(value: unknown): boolean {
  const seen = new Set<object>();
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (!isObject(next) || seen.has(next)) continue;
    seen.add(next);
    if (!Array.isArray(next) && holdsObject(Reflect.get(next, 'length'))) return true;
    for (const part of Object.values(next)) rest.push(part);
  }
  return false;
}

/** A list of numbers or texts, as a shape, can be compared. */
function holdsObject(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isObject) : isObject(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
