// Runs one step of `npm test` as a child process, tells its time, and finds the programs that steps need.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Runs `node ...args` in the folder `root`, by this process's Node or that of `execPath`. Its output is shown as it comes, or, with `quiet`, only when it fails.
 * Past `limitSeconds` the step and everything it started are killed. Resolves to `{ code, output, seconds }`; code is null after a kill.
 */
export function runNode(args, { root, env = {}, quiet = false, limitSeconds, execPath = process.execPath }) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a step that hangs goes with all it started.
      detached: process.platform !== 'win32',
    });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        chunks.push(chunk);
        if (!quiet) process.stdout.write(chunk);
      });
    }
    const stop = () => killTree(child);
    const timer = setTimeout(stop, limitSeconds * 1000);
    // Asked to end, we end with what runs, instead of going on with the next step.
    const interrupt = (signal) => {
      stop();
      console.log(`interrupted by ${signal}`);
      process.exit(130);
    };
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
    const end = (code) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      const output = Buffer.concat(chunks).toString();
      if (quiet && code !== 0) process.stdout.write(output);
      resolve({ code, output, seconds: (Date.now() - started) / 1000 });
    };
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      end(null);
    });
    child.once('close', (code) => end(code));
  });
}

function killTree(child) {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F']);
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Absolute path of a program on PATH; null where it is not. */
export function findOnPath(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const candidate = path.join(folder, name);
    if (folder !== '' && statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
  }
  return null;
}

/** npm's own script, to be run by a Node of one's choice; null where there is no npm. */
export function findNpmScript() {
  const onPath = findOnPath('npm');
  const candidates = [
    process.env.npm_execpath ?? '',
    onPath === null ? '' : realpathSync(onPath),
    path.join(path.dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  return candidates.find((candidate) => candidate.endsWith('npm-cli.js') && existsSync(candidate)) ?? null;
}

/** The Chromium that end-to-end tests drive; null where there is none. */
export function findChromium() {
  const named = process.env.BATCH_PLANNER_TEST_CHROMIUM;
  return named ?? findOnPath('chromium') ?? findOnPath('chromium-browser') ?? findOnPath('google-chrome');
}
