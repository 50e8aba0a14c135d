// Asks a program whether it is a Node.js, and which; never blocks, and does not wait for one that hangs.
import { execFile } from 'node:child_process';

export type NodeAnswer =
  | { readonly how: 'answered'; readonly output: string }
  /** There is no such program. */
  | { readonly how: 'notThere' }
  /** It cannot be started, failed, or did not end in time. */
  | { readonly how: 'failed'; readonly reason: string };

export type RunNode = (nodePath: string, environment: Readonly<NodeJS.ProcessEnv>) => Promise<NodeAnswer>;

/** Longer than a cold start from a slow disk takes, in ms. */
const answerLimit = 10_000;
const question =
  'JSON.stringify({version:process.versions.node,arch:process.arch,platform:process.platform})';

export const runNode: RunNode = (nodePath, environment) =>
  new Promise((resolve) => {
    // NODE_OPTIONS of the user may preload what prints, or what is not there.
    const variables = { ...environment, NODE_OPTIONS: '' };
    const options = {
      env: variables,
      timeout: answerLimit,
      killSignal: 'SIGKILL',
      windowsHide: true,
      maxBuffer: 2 ** 20,
    } as const;
    try {
      execFile(nodePath, ['-p', question], options, (error, stdout, stderr) => {
        if (error === null) resolve({ how: 'answered', output: stdout });
        else if (error.code === 'ENOENT') resolve({ how: 'notThere' });
        else if (error.killed === true)
          resolve({ how: 'failed', reason: `it did not answer within ${answerLimit / 1000} s` });
        else resolve({ how: 'failed', reason: firstLineOf(stderr) || firstLineOf(error.message) });
      });
    } catch (error) {
      // A path that no program can have, with a null byte in it, for one.
      resolve({ how: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  });

/** The first line with anything in it, cut to what a sentence can hold. */
export function firstLineOf(text: string): string {
  const line =
    text
      .split('\n')
      .find((each) => each.trim() !== '')
      ?.trim() ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
