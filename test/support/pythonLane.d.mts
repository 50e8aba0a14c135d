// Types of pythonLane.mjs, as far as TypeScript tests use it.
/** The interpreter of a venv. */
export function venvPython(folder: string): string;
