// `npm run editor`: the packaged extension in a real VS Code, on a copy of the digits example; ends with Ctrl-C.
// Desktop VS Code where `code` is on PATH, else VS Code's server, to be opened in a browser.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { editorPrograms, installEditor, listeningUrl } from '../../test/support/editorLane.mjs';
import { findOnPath } from '../../test/support/steps.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    /** Use VS Code's server also where there is a desktop VS Code. */
    browser: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
  },
});

const project = copyOfExample();
const home = mkdtempSync(path.join(tmpdir(), 'batch-planner-editor-'));
const data = path.join(home, 'data');
const places = ['--user-data-dir', data, '--extensions-dir', path.join(home, 'extensions')];
let running = null;

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(130));
process.once('exit', () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

console.log('Packing the extension …');
const vsix = pack();
mkdirSync(path.join(data, 'User'), { recursive: true });
writeFileSync(path.join(data, 'User/settings.json'), JSON.stringify(settings(), null, 2));

const desktop = values.browser ? null : findOnPath(process.platform === 'win32' ? 'code.cmd' : 'code');
if (desktop === null) await openInBrowser();
else openOnDesktop(desktop);

/** Below the repository, so that the copy finds its TensorFlow.js; what was planned and trained in it before stays. */
function copyOfExample() {
  const folder = path.join(root, 'media/examples/trained/editor');
  if (!existsSync(folder)) cpSync(path.join(root, 'media/examples/digits'), folder, { recursive: true });
  return folder;
}

/** Packs for this platform; path of the .vsix. */
function pack() {
  const packed = spawnSync(process.execPath, ['vsix.mjs', '--out', home], { cwd: root, encoding: 'utf8' });
  if (packed.status !== 0) {
    process.stderr.write(packed.stdout + packed.stderr);
    process.exit(1);
  }
  return packed.stdout.trim().split('\n').at(-1);
}

function settings() {
  return {
    'telemetry.telemetryLevel': 'off',
    'workbench.startupEditor': 'none',
    'extensions.ignoreRecommendations': true,
    'extensions.autoUpdate': 'off',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'git.openRepositoryInParentFolders': 'never',
    'batchPlanner.statusBar.show': 'always',
  };
}

/** A window of its own, with nothing of the user's: neither their settings nor their extensions. */
function openOnDesktop(code) {
  const options = { stdio: 'inherit', shell: process.platform === 'win32' };
  const installed = spawnSync(code, [...places, '--install-extension', vsix], options);
  if (installed.status !== 0) process.exit(installed.status ?? 1);
  const files = [project, '--goto', path.join(project, 'train.js')];
  console.log(`Opening ${project} in VS Code. Close its window, or press Ctrl-C here, to end.`);
  running = spawn(code, [...places, '--disable-workspace-trust', '--new-window', '--wait', ...files], {
    ...options,
    detached: process.platform !== 'win32',
  });
  running.once('exit', (code) => process.exit(code ?? 0));
}

async function openInBrowser() {
  const lane = await installEditor(root);
  if (lane.folder === undefined) {
    console.error(
      `There is no "code" on PATH, and VS Code's server cannot be set up: ${lane.missing ?? lane.failure}`,
    );
    process.exit(4);
  }
  const { node, server } = editorPrograms(lane.folder);
  const config = ['--config', path.join(home, 'config.yaml')];
  const env = { ...process.env, XDG_DATA_HOME: home };
  const installed = spawnSync(node, [server, ...places, ...config, '--install-extension', vsix], {
    env,
    encoding: 'utf8',
  });
  if (installed.status !== 0) {
    process.stderr.write(installed.stdout + installed.stderr);
    process.exit(1);
  }
  const address = ['--auth', 'none', '--bind-addr', `127.0.0.1:${values.port}`];
  const quiet = ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'];
  running = spawn(node, [server, ...address, ...quiet, ...places, ...config], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.once('exit', (code) => end(code ?? 1));
  const url = await listeningUrl(running);
  console.log(
    `\nVS Code with Batch Planner on ${path.relative(root, project)}:\n\n  ${url}?folder=${encodeURIComponent(project)}\n`,
  );
  console.log('Open train.js there and press F1, "Batch Planner: Plan Batch Size". Ctrl-C here ends it.');
}

/** Ends the editor and what it started, but for trainings: those go on until they are done, as for any user. */
function end(code) {
  if (running !== null && running.exitCode === null && running.pid !== undefined) {
    if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(running.pid), '/T', '/F']);
    else process.kill(-running.pid, 'SIGTERM');
  }
  process.exit(code);
}
