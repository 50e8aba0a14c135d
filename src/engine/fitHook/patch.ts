// Replaces methods of tfjs-layers' classes, and says so where a version of it does not have them.

/**
 * @throws TypeError where the owner has no such method
 */
export function method<T>(owner: object, name: string): T {
  const value: unknown = Reflect.get(owner, name);
  if (typeof value !== 'function')
    throw new TypeError(`This tfjs-layers has no ${name}: it is not known to the hook.`);
  return value as T;
}

export function define(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: true, configurable: true });
}
