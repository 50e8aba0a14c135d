// A plan copied as code, from the palette and from the page: an untitled document of that language, and nothing overwritten.
import { readFileSync, readdirSync } from 'node:fs';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Editor } from '../support/editor/editor';
import { editorLane } from '../support/editor/lane';
import { openEditor } from '../support/editor/openEditor';
import { poll } from '../support/editor/poll';
import { createProject, patientScript, type Project } from '../support/editor/project';

const { missing } = editorLane();
const because = missing ? `: ${missing}` : '';

describe.skipIf(missing !== undefined)(`a plan as code in a real VS Code${because}`, () => {
  let project: Project;
  let editor: Editor;
  let page: Frame;

  beforeAll(async () => {
    project = createProject({ 'train.js': patientScript() });
    editor = await openEditor({ folder: project.folder });
  });
  afterAll(async () => {
    await editor?.dispose();
    project.remove();
  });

  it('offers to plan where there is no plan', async () => {
    await editor.openFile('train.js');
    await editor.command('Batch Planner: Copy Plan as Code');
    await editor.notifications.one('There is no plan of train.js yet.', 30_000);
    await editor.notifications.clear();
  });

  it('opens a program by the command, with the numbers of the config', async () => {
    await editor.openFile('train.js');
    await editor.command('Batch Planner: Plan Batch Size');
    await editor.quickInput.answer('1000');
    await editor.notifications.one('Largest microbatch', 120_000);
    await editor.notifications.clear();
    const before = readdirSync(project.folder).sort();
    await editor.command('Batch Planner: Copy Plan as Code');
    await editor.quickInput.choose('TensorFlow.js');
    await editor.quickInput.choose('Microbatches as planned');
    await poll('an untitled document', async () => (await editor.tabs()).some((tab) => /Untitled/.test(tab)));
    await poll('the program', async () => /as planned for train\.js/.test(await editor.editorText()));
    expect(await editor.editorText()).toContain('const targetBatchSize = 1000;');
    expect(readdirSync(project.folder).sort()).toEqual(before);
    expect(readFileSync(project.path('train.js'), 'utf8')).toBe(patientScript());
  });

  it('opens another one by the page’s button, beside the first', async () => {
    await editor.command('Batch Planner: Open Plan');
    page = await editor.pageFrame();
    await page.getByRole('button', { name: 'Copy as code', exact: true }).click();
    await editor.quickInput.choose('TensorFlow.js with accumulate()');
    await editor.quickInput.choose('Tokens or samples that differ per step');
    await poll('a second document', async () => {
      return (await editor.tabs()).filter((tab) => /Untitled/.test(tab)).length === 2;
    });
    await poll('the program', async () => /batch-planner\/accumulate/.test(await editor.editorText()));
    await editor.screenshot('copy-as-code');
  });

  it.each([
    ['TensorFlow (Python)', null, 'Microbatches as planned', /import tensorflow as tf/],
    ['Keras 3 (Python)', null, 'Equal microbatches', /import keras/],
    ['PyTorch (Python)', null, 'Tokens or samples that differ per step', /import torch/],
    ['PyTorch DDP (Python)', '4', 'Microbatches as planned', /torchrun --nproc-per-node 4/],
    ['Accelerate (Python)', '4', 'Equal microbatches', /accelerate launch/],
    ['DeepSpeed', '4', null, /"train_batch_size": 1000/],
  ])('opens the program of %s', async (language, processes, form, content) => {
    await editor.command('Batch Planner: Copy Plan as Code');
    // Not all of them are on the screen at once.
    await poll('the languages', async () => /Which language/.test(await editor.quickInput.question()));
    await editor.quickInput.filter(language);
    await editor.quickInput.choose(language);
    if (processes !== null) {
      await poll('the question', async () => /How many processes/.test(await editor.quickInput.question()));
      await editor.quickInput.answer(processes);
    }
    if (form !== null) await editor.quickInput.choose(form);
    await poll('the program', async () => content.test(await editor.editorText()));
    await editor.command('View: Close Editor');
    await editor.notifications.clear();
  });

  it('offers equal microbatches only where there can be any', async () => {
    await editor.command('Batch Planner: Copy Plan as Code');
    await editor.quickInput.choose('PyTorch DDP (Python)');
    await editor.quickInput.answer('3');
    await poll('the forms', async () => /How is a batch cut/.test(await editor.quickInput.question()));
    expect(await editor.quickInput.labels()).toEqual([
      'Microbatches as planned',
      'Tokens or samples that differ per step',
    ]);
    await editor.quickInput.close();
  });

  it('opens a program for several machines in front of the file that says where its workers are', async () => {
    const untitled = async () => (await editor.tabs()).filter((tab) => /Untitled/.test(tab)).length;
    const before = await untitled();
    await editor.command('Batch Planner: Copy Plan as Code');
    await editor.quickInput.filter('several machines');
    await editor.quickInput.choose('TensorFlow on several machines (Python)');
    await poll('the question', async () => /How many processes/.test(await editor.quickInput.question()));
    await editor.quickInput.answer('4');
    await editor.quickInput.choose('Microbatches as planned');
    await poll('the program', async () => /TF_CONFIG/.test(await editor.editorText()));
    expect(await untitled()).toBe(before + 2);
    await editor.screenshot('copy-as-code-workers');
    await editor.command('View: Open Previous Editor in Group');
    await poll('the other file', async () => (await editor.editorText()).includes('"cluster"'));
    expect((await editor.editorText()).match(/"localhost:\d+"/g)).toHaveLength(4);
  });
});
