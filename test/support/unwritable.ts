// A folder in which nothing can be made, also by root.
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** One without write permission in `folder`, which stays removable; or, since root may write there too, the kernel's. */
export function unwritable(folder: string): string {
  if (process.getuid?.() === 0) return '/sys/kernel';
  const readOnly = path.join(folder, 'read-only');
  mkdirSync(readOnly);
  chmodSync(readOnly, 0o500);
  return readOnly;
}
