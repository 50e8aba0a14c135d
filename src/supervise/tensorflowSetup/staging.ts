// The folder in which the package is made, and the moves into place that can all be taken back.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './types';

const prefix = '.batch-planner-setup-';

/** What was done to the user's folder, so that it can be taken back; a setup that is killed leaves at most its staging folder. */
export class Undo {
  readonly #moves: (readonly [now: string, before: string])[] = [];
  readonly #folders: string[] = [];

  /** Makes `folder` with its missing ancestors. */
  makeFolder(folder: string): void {
    const missing: string[] = [];
    for (let at = folder; !existsSync(at); at = path.dirname(at)) missing.unshift(at);
    mkdirSync(folder, { recursive: true });
    this.#folders.push(...missing);
  }

  /** Moves `from` to `to`; what is at `to` goes to `aside`, from where it can be put back. */
  moveIn(from: string, to: string, aside: string): void {
    if (existsSync(to)) {
      mkdirSync(path.dirname(aside), { recursive: true });
      this.#move(to, aside);
    }
    this.#move(from, to);
  }

  /** Takes everything back, last first; `staging`, to which things are moved back, is removed before the folder it lies in. */
  run(staging: string | null): void {
    for (const [now, before] of this.#moves.splice(0).reverse()) renameSync(now, before);
    if (staging !== null) removeStaging(staging);
    for (const folder of this.#folders.splice(0).reverse())
      if (readdirSync(folder).length === 0) rmdirSync(folder);
  }

  #move(from: string, to: string): void {
    renameSync(from, to);
    this.#moves.push([to, from]);
  }
}

/**
 * Makes a staging folder in `parent`, on whose disk it lies, so that a move into place is one rename. Staging folders of setups
 * that were killed are removed.
 * @throws SetupError (usage) where another setup is at work
 */
export function makeStaging(parent: string): string {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(prefix))) {
    const owner = Number(name.slice(prefix.length).split('-')[0]);
    if (owner !== process.pid && isAlive(owner)) {
      throw new SetupError(
        'usage',
        `Another setup is at work in ${parent} (process ${owner}); wait for it to end.`,
      );
    }
    removeStaging(path.join(parent, name));
  }
  return mkdtempSync(path.join(parent, `${prefix}${process.pid}-`));
}

/** Removes a staging folder with all in it. */
export function removeStaging(folder: string): void {
  // Windows keeps a file that was just closed for a moment, by a virus scanner for instance.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is alive and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
