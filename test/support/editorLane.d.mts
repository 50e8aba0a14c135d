// Types of editorLane.mjs, as far as TypeScript tests use it.
import type { ChildProcess } from 'node:child_process';

/** Programs of the lane in `folder`: Node, and the server's script. */
export function editorPrograms(folder: string): { readonly node: string; readonly server: string };
/** The address at which a code-server process says that it listens. */
export function listeningUrl(child: ChildProcess): Promise<string>;
