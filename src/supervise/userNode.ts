// Finds the Node.js that runs the user's scripts. The editor's own would have other native modules, or none at all.
import * as z from 'zod';
import { firstLineOf, runNode, type RunNode } from './nodeQuestion';
import { nodeCandidates, type ListFolder } from './nodePlaces';

/** Node.js that can run the user's scripts under the hook. */
export interface UserNode {
  readonly nodePath: string;
  /** Such as `20.20.2`. */
  readonly version: string;
  readonly arch: string;
  readonly platform: string;
}

export type UserNodeProblem =
  /** There is none where it was looked for. */
  | 'missing'
  /** The hook needs a newer one. */
  | 'tooOld'
  /** Built for another processor than the editor: the native modules that come with it would not load. */
  | 'otherArchitecture'
  /** It does not answer, or not as Node.js does. */
  | 'broken'
  /** There is no file where the setting says. */
  | 'notThere';

/** No Node.js can be used; the message is one sentence with what to do. */
export class UserNodeError extends Error {
  override readonly name = 'UserNodeError';
  constructor(
    readonly kind: UserNodeProblem,
    message: string,
  ) {
    super(message);
  }
}

export interface UserNodeRequest {
  /** The setting: an absolute path, or null. It is the only candidate where there is one. */
  readonly configured: string | null;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly platform: NodeJS.Platform;
  /** Of the editor; injected in tests, as are the others. */
  readonly arch?: string;
  readonly run?: RunNode;
  readonly listFolder?: ListFolder;
}

/** The hook is preloaded with `--import`, which older ones have not, or have unfinished. */
export const oldestNode = 20;

const answer = z.object({
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  arch: z.string(),
  platform: z.string(),
});

/**
 * Asks the candidates, in order, until one can be used.
 * @throws UserNodeError; of several that cannot be used, about the first, which is the one that a shell would take
 */
export async function findUserNode(request: UserNodeRequest): Promise<UserNode> {
  const { configured, environment, platform, listFolder } = request;
  if (configured !== null) return ask(configured, request);
  let first: UserNodeError | null = null;
  for (const candidate of await nodeCandidates({ environment, platform, listFolder })) {
    try {
      return await ask(candidate, request);
    } catch (error) {
      if (!(error instanceof UserNodeError)) throw error;
      if (error.kind !== 'notThere') first ??= error;
    }
  }
  throw (
    first ??
    new UserNodeError(
      'missing',
      `No Node.js was found, neither on PATH nor where version managers put it: install Node.js ${oldestNode} or newer, or name yours in the setting "batchPlanner.nodePath".`,
    )
  );
}

async function ask(nodePath: string, request: UserNodeRequest): Promise<UserNode> {
  const { environment, run = runNode, arch = process.arch, configured } = request;
  const where =
    configured === null
      ? `Node.js (${nodePath})`
      : `Node.js of the setting "batchPlanner.nodePath" (${nodePath})`;
  const name = 'name another one in the setting "batchPlanner.nodePath"';
  const told = await run(nodePath, environment);
  if (told.how === 'notThere') {
    throw new UserNodeError(
      'notThere',
      `There is no program ${nodePath}, which the setting "batchPlanner.nodePath" names: mend the setting, or leave it empty to take the one on PATH.`,
    );
  }
  if (told.how === 'failed')
    throw new UserNodeError('broken', `${where} does not work (${told.reason}): ${name}.`);
  const facts = parse(told.output);
  if (facts === null) {
    throw new UserNodeError(
      'broken',
      `${where} does not answer as Node.js does (${firstLineOf(told.output)}): ${name}.`,
    );
  }
  if (Number.parseInt(facts.version, 10) < oldestNode) {
    throw new UserNodeError(
      'tooOld',
      `${where} is version ${facts.version}, which is too old: install Node.js ${oldestNode} or newer, or ${name}.`,
    );
  }
  if (facts.arch !== arch) {
    throw new UserNodeError(
      'otherArchitecture',
      `${where} is built for ${facts.arch}, but this editor runs on ${arch}: install Node.js for ${arch}, or ${name}.`,
    );
  }
  return { nodePath, ...facts };
}

/** The last line counts: a version manager's shim may print a notice before it. */
function parse(output: string): z.infer<typeof answer> | null {
  try {
    return answer.safeParse(JSON.parse(output.trim().split('\n').at(-1) ?? '')).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
