// Where in the user's own files an error arose: read from a stack or from what Node printed on stderr.
import { fileURLToPath } from 'node:url';

/** A place in a file; lines count from 1. */
export interface FailureLocation {
  readonly file: string;
  readonly line: number;
}

/** Frames that are not the user's: Node's own, packages, and the hook that this product preloads. */
const notTheirs =
  /(?:^node:|[\\/]node_modules[\\/]|[\\/]preload\.cjs$|[\\/]modelEntry\.cjs$|^evalmachine|^\[eval|^<anonymous>|^data:)/;

/** "path:line" or "path:line:column", where the path is absolute (POSIX, Windows or a file: URL) and begins a word. */
const place =
  /(?<![\w.:/\\%-])((?:file:\/\/\/(?:[A-Za-z]:)?|\/|[A-Za-z]:[\\/])[^\n():*?"<>|]*?):(\d+)(?::\d+)?(?=[\s):]|$)/g;

/**
 * The first place in the user's own files that a stack, or Node's report of a syntax error, names.
 * Understands the frames of V8, the "file:line" heading of a syntax error (CommonJS and ESM), and the messages of
 * esbuild (tsx). Null where only Node and packages are named.
 */
export function failureLocation(text: string): FailureLocation | null {
  for (const match of text.matchAll(place)) {
    const [, named, line] = match;
    if (named === undefined || line === undefined || Number(line) < 1) continue;
    const file = named.startsWith('file://') ? toPath(named) : named;
    if (file !== null && !notTheirs.test(file)) return { file, line: Number(line) };
  }
  return null;
}

/** The path of a file: URL; null where it is none (a host, a bad escape), which then simply is no place. */
function toPath(url: string): string | null {
  return URL.canParse(url) && new URL(url).host === '' && !/%2f|%5c|%(?![0-9a-f]{2})/i.test(url)
    ? fileURLToPath(url)
    : null;
}
