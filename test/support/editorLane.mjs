// Sets up the real editor of the tests and of `npm run editor`: VS Code's server with the Node that it needs, from npm packages.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findChromium, findNpmScript, findOnPath, runNode } from './steps.mjs';

/** The versions that were tried together: code-server 4.139.1 carries VS Code 1.139.1 and asks for Node 24. */
const versions = { codeServer: '4.139.1', node: '24.21.0' };
/** Native parts of the server that have to be compiled; the others come compiled or are not needed. */
const compiled = ['@vscode/spdlog', '@vscode/native-watchdog'];
/**
 * Built-in extensions that the lane goes without. TypeScript's language features: its parts are not in the package, it would
 * only tell so in every window. The chat: where `chat.disableAIFeatures` is set, VS Code 1.139 switches it off while a window
 * starts and, with half of its list of extensions read, restarts the extension hosts; the first then goes on beside the second.
 */
const leftOut = ['typescript-language-features', 'copilot'];
/** What npm says where its registry is out of reach or lacks a package. */
const unreachable =
  /\b(?:E404|ETARGET|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;
const title = 'real editor';

/** Programs of the lane in `folder`: Node, and the server's script. */
export function editorPrograms(folder) {
  return {
    node: path.join(folder, 'node_modules', nodePackage(), 'bin/node'),
    server: path.join(folder, 'node_modules/code-server/out/node/entry.js'),
  };
}

/**
 * Makes test/.lanes/editor, unless it is there.
 * Resolves to `{ env, missing?, failure? }`: variables for the tests; why there is none; or that it was set up and does not work.
 */
export async function setUpEditorLane(root) {
  if (process.env.BATCH_PLANNER_TEST_EDITOR) return { env: {} };
  const chromium = findChromium();
  if (chromium === null) return notHere('no Chromium on this machine');
  const lane = await installEditor(root);
  if (lane.folder === undefined)
    return lane.missing === undefined
      ? { ...notHere(lane.failure), failure: `${title}: ${lane.failure}` }
      : notHere(lane.missing);
  return { env: { BATCH_PLANNER_TEST_EDITOR: lane.folder, BATCH_PLANNER_TEST_CHROMIUM: chromium } };
}

/** Makes the editor in `root`'s test/.lanes/editor, unless it is there; resolves to `{ folder }`, `{ missing }` or `{ failure }`. */
export async function installEditor(root) {
  const folder = path.join(root, 'test/.lanes/editor');
  const record = path.join(folder, 'installed.json');
  const wanted = JSON.stringify({ ...versions, leftOut, platform: `${process.platform}-${process.arch}` });
  if (existsSync(record) && readFileSync(record, 'utf8') === wanted) return { folder };
  const missing = whatIsMissing();
  if (missing !== null) return { missing };
  console.log(`${title}: installing VS Code's server (about a minute)`);
  const started = Date.now();
  mkdirSync(path.dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}-`);
  try {
    const problem = (await installInto(staging)) ?? (await answers(staging));
    if (problem !== null) return problem;
    writeFileSync(path.join(staging, 'installed.json'), wanted);
    rmSync(folder, { recursive: true, force: true });
    renameSync(staging, folder);
    console.log(`${title}: installed (${((Date.now() - started) / 1000).toFixed(0)} s)`);
    return { folder };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function nodePackage() {
  return `node-linux-${process.arch}`;
}

/** Why this machine cannot have the editor; null where nothing is known against it. */
function whatIsMissing() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    return `VS Code's server is set up on Linux x64 and arm64 only, not on ${process.platform}-${process.arch}`;
  }
  const tools = ['python3', 'make', 'g++'].filter((tool) => findOnPath(tool) === null);
  if (tools.length > 0) return `VS Code's server is compiled with ${tools.join(', ')}, not found on PATH`;
  return findNpmScript() === null ? 'npm was not found' : null;
}

/** Installs and compiles; null, or what went wrong. */
async function installInto(folder) {
  const manifest = {
    name: 'batch-planner-editor-lane',
    private: true,
    dependencies: { 'code-server': versions.codeServer, [nodePackage()]: versions.node },
  };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  const { node } = editorPrograms(folder);
  const server = path.join(folder, 'node_modules/code-server/lib/vscode');
  const quietly = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1'];
  const install = ['install', '--omit=dev', '--ignore-scripts', ...quietly];
  // npm is run by the lane's Node where native parts are compiled, against the headers that come with it.
  const headers = `--nodedir=${path.dirname(path.dirname(node))}`;
  const rebuild = ['rebuild', ...compiled, '--ignore-scripts=false', headers, '--loglevel=error'];
  const steps = [
    { args: install, cwd: folder },
    { args: install, cwd: server },
    {
      args: rebuild,
      cwd: server,
      execPath: node,
      env: { PATH: `${path.dirname(node)}:${process.env.PATH}` },
    },
  ];
  for (const { args, cwd, ...options } of steps) {
    const npm = [findNpmScript(), ...args];
    const result = await runNode(npm, { root: cwd, quiet: true, limitSeconds: 600, ...options });
    if (result.code === 0) continue;
    const code = unreachable.exec(result.output)?.[0];
    if (code !== undefined) return { missing: `npm's registry is out of reach or lacks a package (${code})` };
    const words = /^npm (?:error|ERR!) (?!code )(.+)$/m.exec(result.output)?.[1] ?? 'past its time';
    return { failure: `npm ${args[0]}: ${words}` };
  }
  for (const extension of leftOut) rmSync(path.join(server, 'extensions', extension), { recursive: true });
  return null;
}

/** Starts the server and waits for its word that it runs; null, or what went wrong. */
async function answers(folder) {
  const { node, server } = editorPrograms(folder);
  const home = mkdtempSync(path.join(tmpdir(), 'bp-lane-'));
  const address = [
    '--auth',
    'none',
    '--bind-addr',
    '127.0.0.1:0',
    '--config',
    path.join(home, 'config.yaml'),
  ];
  const folders = ['--user-data-dir', home, '--extensions-dir', path.join(home, 'extensions')];
  const child = spawn(
    node,
    [server, ...address, ...folders, '--disable-telemetry', '--disable-update-check'],
    {
      env: { ...process.env, HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  try {
    const url = await listeningUrl(child);
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    const page = await response.text();
    return response.ok && page.includes('vscode')
      ? null
      : { failure: `the server answers ${response.status}` };
  } catch (error) {
    return { failure: `the server does not start: ${error.message}` };
  } finally {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The address at which a code-server process says that it listens. */
export function listeningUrl(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`it says nothing: ${output}`)), 60_000);
    const read = (chunk) => {
      output += chunk;
      const url = /HTTP server listening on (http:\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${code}: ${output}`));
    });
  });
}

function notHere(reason) {
  return { env: { BATCH_PLANNER_TEST_EDITOR_MISSING: reason }, missing: reason };
}
