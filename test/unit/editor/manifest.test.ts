// package.json, the names in the code and the texts of package.nls.json must say the same.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  commandNames,
  contextNames,
  pageViewType,
  problemMatchers,
  settingNames,
  taskType,
} from '../../../src/editor/names';
import { backendNames } from '../../../src/planning/backendName';
import { objectives } from '../../../src/planning/plan';

const root = path.resolve(import.meta.dirname, '../../..');
const text = readFileSync(path.join(root, 'package.json'), 'utf8');
const nls = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(path.join(root, 'package.nls.json'), 'utf8')));
const menuItem = z.object({ command: z.string(), when: z.string().optional() });
const property = z.looseObject({
  enum: z.array(z.string()).optional(),
  enumDescriptions: z.array(z.string()).optional(),
  default: z.unknown(),
  description: z.string().optional(),
  markdownDescription: z.string().optional(),
});
const manifest = z
  .object({
    main: z.string(),
    icon: z.string(),
    l10n: z.string(),
    engines: z.object({ vscode: z.string(), node: z.string() }),
    devDependencies: z.record(z.string(), z.string()),
    extensionKind: z.array(z.string()),
    activationEvents: z.array(z.string()),
    capabilities: z.object({
      untrustedWorkspaces: z.object({
        supported: z.literal('limited'),
        restrictedConfigurations: z.array(z.string()),
      }),
      virtualWorkspaces: z.object({ supported: z.literal(false), description: z.string() }),
    }),
    contributes: z.object({
      commands: z.array(z.object({ command: z.string(), title: z.string(), category: z.string() })),
      menus: z.record(z.string(), z.array(menuItem)),
      configuration: z.object({ properties: z.record(z.string(), property) }),
      taskDefinitions: z.array(z.object({ type: z.string() })),
      problemMatchers: z.array(
        z.object({ name: z.string(), pattern: z.looseObject({ regexp: z.string() }) }),
      ),
      jsonValidation: z.array(z.object({ fileMatch: z.string(), url: z.string() })),
      walkthroughs: z.array(
        z.object({
          steps: z.array(z.object({ media: z.object({ svg: z.string() }), description: z.string() })),
        }),
      ),
    }),
  })
  .parse(JSON.parse(text));
const { contributes } = manifest;

describe('the manifest', () => {
  it('has every command of the code, and no other', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(
      Object.values(commandNames).sort(),
    );
    expect(new Set(contributes.commands.map(({ category }) => category))).toEqual(new Set(['Batch Planner']));
  });

  it('names only commands that there are in its menus', () => {
    const known = new Set<string>(Object.values(commandNames));
    const used = Object.values(contributes.menus).flat();
    expect(used.filter(({ command }) => !known.has(command))).toEqual([]);
  });

  it('has every setting of the code, each with a default and a description', () => {
    const { properties } = contributes.configuration;
    expect(Object.keys(properties).sort()).toEqual(
      Object.values(settingNames)
        .map((name) => `batchPlanner.${name}`)
        .sort(),
    );
    for (const [name, value] of Object.entries(properties)) {
      expect(value.default, name).not.toBeUndefined();
      expect(value.description ?? value.markdownDescription, name).toBeTypeOf('string');
      if (value.enum !== undefined) expect(value.enumDescriptions?.length, name).toBe(value.enum.length);
    }
    expect(properties['batchPlanner.backend']?.enum).toEqual(['auto', ...backendNames]);
    expect(properties['batchPlanner.objective']?.enum).toEqual([...objectives]);
  });

  it('uses only context keys that the code sets', () => {
    const settings = new Set(Object.keys(contributes.configuration.properties));
    const known = new Set<string>([
      ...Object.values(contextNames),
      ...Object.values(commandNames),
      ...settings,
    ]);
    const used = [...text.matchAll(/batchPlanner\.[A-Za-z.]+/g)].map(([name]) => name);
    const others = used.filter((name) => !known.has(name) && name !== pageViewType && !name.endsWith('.'));
    expect(others).toEqual([]);
  });

  it('wakes up for its page and its status bar item, and for nothing else', () => {
    expect(manifest.activationEvents).toEqual(['onStartupFinished', `onWebviewPanel:${pageViewType}`]);
  });

  it('has the task type and the problem matchers of the code', () => {
    expect(contributes.taskDefinitions.map(({ type }) => type)).toEqual([taskType]);
    expect(contributes.problemMatchers.map(({ name }) => `$${name}`)).toEqual([...problemMatchers]);
  });

  it('finds the failures that the command line tells', () => {
    const [script, config] = contributes.problemMatchers.map(({ pattern }) => new RegExp(pattern.regexp));
    const failed = script?.exec('The script failed after update 3 (epoch 1): /home/me/train.js:12: boom');
    expect(failed?.slice(1, 4)).toEqual(['/home/me/train.js', '12', 'boom']);
    const windows = script?.exec('C:\\me\\train.js:7: boom');
    expect(windows?.slice(1, 4)).toEqual(['C:\\me\\train.js', '7', 'boom']);
    const mistake = config?.exec(
      '/home/me/train.accumulation.json:4:9: "microbatchSize" must be a whole number.',
    );
    expect(mistake?.slice(1, 4)).toEqual(['/home/me/train.accumulation.json', '4', '9']);
    expect(config?.exec('Done in 3 s: 1 epoch, 8 updates.')).toBeNull();
  });

  it('has a text for every %key%, and no text that nobody asks for', () => {
    const asked = [...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
    expect(asked.filter((key) => key === undefined || nls[key] === undefined)).toEqual([]);
    expect(Object.keys(nls).filter((key) => !asked.includes(key))).toEqual([]);
  });

  it('shows nothing that is not in package.nls.json', () => {
    const shown = [
      ...contributes.commands.map(({ title }) => title),
      ...Object.values(contributes.configuration.properties).flatMap((value) => [
        value.description ?? value.markdownDescription ?? '',
        ...(value.enumDescriptions ?? []),
      ]),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
      manifest.capabilities.virtualWorkspaces.description,
    ];
    expect(shown.filter((each) => !/^%.+%$/.test(each))).toEqual([]);
  });

  it('names only files that there are', () => {
    const files = [
      manifest.icon,
      ...contributes.jsonValidation.map(({ url }) => url),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
    ];
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('runs where the files are, and asks for no newer VS Code than its types are of', () => {
    expect(manifest.extensionKind).toEqual(['workspace']);
    expect(manifest.engines.vscode).toBe(`^${manifest.devDependencies['@types/vscode']}`);
  });

  it('lets no setting of an untrusted folder name a program', () => {
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toContain(
      'batchPlanner.nodePath',
    );
  });
});
