// Types of steps.mjs, as far as TypeScript tests use it.
/** Absolute path of a program on PATH; null where it is not. */
export function findOnPath(name: string): string | null;
/** The Chromium that end-to-end tests drive; null where there is none. */
export function findChromium(): string | null;
