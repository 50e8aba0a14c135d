// Restricted Mode gives the indicator and runs nothing of the folder; and each folder of a workspace keeps its own plans.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/planning/readConfig';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientScript, type Project } from '../support/editor/project';
import { FakeGpuTools, h100 } from '../support/fakeGpuTools';

const { missing } = editorLane();
const because = missing ? `: ${missing}` : '';

describe.skipIf(missing !== undefined)(`Restricted Mode in a real VS Code${because}`, () => {
  let tools: FakeGpuTools;
  let project: Project;
  let marker: string;
  let editor: Editor;

  beforeAll(async () => {
    tools = new FakeGpuTools();
    tools.nvidiaSmi({ gpus: [h100] });
    tools.lspci([]);
    project = createProject({});
    marker = path.join(path.dirname(project.folder), 'ran');
    // Whatever of this folder is started leaves a line in the marker: the script, its TensorFlow.js, its "node".
    const tell = (who: string) => `require('node:fs').appendFileSync(${JSON.stringify(marker)}, '${who} ');`;
    project.write('train.js', `${tell('script')}\n${patientScript()}`);
    const tensorflow = 'node_modules/@tensorflow/tfjs';
    project.write(
      `${tensorflow}/package.json`,
      JSON.stringify({ name: '@tensorflow/tfjs', version: '4.22.0', main: 'index.js' }),
    );
    project.write(`${tensorflow}/index.js`, tell('tfjs'));
    const node = project.write(
      'node',
      `#!/bin/sh\necho node >> '${marker}'\nexec '${process.execPath}' "$@"\n`,
    );
    chmodSync(node, 0o755);
    project.write('.vscode/settings.json', JSON.stringify({ 'batchPlanner.nodePath': node }));
    editor = await openEditor({
      folder: project.folder,
      trusted: false,
      environment: { PATH: `${tools.folder}:${process.env['PATH']}` },
    });
  });
  afterAll(async () => {
    await editor?.dispose();
    tools.dispose();
    project.remove();
  });

  it('shows GPU memory, and offers no planning in its tooltip or menu', async () => {
    await poll('GPU memory', async () => (await editor.statusBar.own())?.text === '0.0/79.6 GB');
    const tooltip = await editor.statusBar.tooltip();
    expect(tooltip).toContain('NVIDIA H100 80GB HBM3');
    expect(tooltip).not.toContain('Plan Batch Size');
    await editor.statusBar.click();
    const choices = (await editor.quickInput.choices()).join('\n');
    expect(choices).toContain('Select GPU');
    expect(choices).not.toMatch(/Plan Batch Size|Start Training/);
    await editor.quickInput.close();
  });

  it('offers no command that would run something of the folder', async () => {
    const titles = await editor.commandTitles('Batch Planner:');
    expect(titles).toEqual(expect.arrayContaining(['Batch Planner: Select GPU', 'Batch Planner: Show Log']));
    expect(titles.filter((title) => /Plan Batch Size|Start Training|Resume|Set Up/.test(title))).toEqual([]);
  });

  it('shows the page with the way out of Restricted Mode, and nothing to start', async () => {
    await editor.openFile('train.js');
    await editor.command('Batch Planner: Open Plan');
    const page = await editor.pageFrame();
    await poll('the page says it', async () =>
      /Restricted Mode|trust/i.test(await page.locator('main#batch-planner').innerText()),
    );
    expect(await page.getByRole('button', { name: /Plan batch size|Start training/ }).count()).toBe(0);
    expect(await editor.codeLenses()).toEqual([]);
    await editor.screenshot('restricted');
  });

  it('has run nothing of the folder', () => {
    expect(existsSync(marker)).toBe(false);
    expect(editor.processesOf(project.folder)).toEqual([]);
    expect(readdirSync(project.folder).sort()).toEqual(['.vscode', 'node', 'node_modules', 'train.js']);
  });

  it('gives the rest as soon as the folder is trusted', async () => {
    await editor.command('Workspaces: Manage Workspace Trust');
    await editor.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
    await poll('the commands', async () =>
      (await editor.commandTitles('Batch Planner:')).includes('Batch Planner: Plan Batch Size'),
    );
    await poll('a CodeLens', async () => (await editor.codeLenses()).includes('Plan batch size'));
  });

  it('then runs the Node and the TensorFlow.js of the folder, which leave their marks', async () => {
    await editor.command('Batch Planner: Plan Batch Size');
    await editor.quickInput.question();
    await editor.quickInput.answer('64');
    await poll('the marker', () => existsSync(marker) && /node[^]*tfjs/.test(readFileSync(marker, 'utf8')));
  });
});

describe.skipIf(missing !== undefined)(`a workspace of two folders${because}`, () => {
  let base: string;
  let first: string;
  let second: string;
  let editor: Editor;

  beforeAll(async () => {
    base = mkdtempSync(path.join(tmpdir(), 'bp-multi-'));
    first = path.join(base, 'first');
    second = path.join(base, 'second');
    for (const folder of [first, second]) {
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'train.js'), patientScript({ epochs: 1, pauseMs: 0 }));
    }
    // Settings of a folder are that folder's.
    mkdirSync(path.join(second, '.vscode'));
    writeFileSync(
      path.join(second, '.vscode/settings.json'),
      JSON.stringify({ 'batchPlanner.backend': 'cpu' }),
    );
    const workspaceFile = path.join(base, 'both.code-workspace');
    writeFileSync(workspaceFile, JSON.stringify({ folders: [{ path: 'first' }, { path: 'second' }] }));
    editor = await openEditor({ workspaceFile });
  });
  afterAll(async () => {
    await editor?.dispose();
    rmSync(base, { recursive: true });
  });

  it('writes the plan of the second folder there, with the settings of that folder', async () => {
    await editor.openFile('second/train.js');
    await editor.command('Batch Planner: Plan Batch Size');
    await editor.quickInput.question();
    await editor.quickInput.answer('64');
    const config = path.join(second, 'train.accumulation.json');
    await poll('the config', () => existsSync(config), 120_000);
    expect(readConfig(readFileSync(config, 'utf8')).config).toMatchObject({
      targetBatchSize: 64,
      backend: 'cpu',
    });
    expect(readdirSync(first)).toEqual(['train.js']);
  });
});
