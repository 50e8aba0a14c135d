// No name of a file, model or config can reach a shell, and nothing of ours talks to a network: read from all sources.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
/** The only ways to start a program that take its arguments one by one. */
const starters = ['spawn', 'spawnSync', 'execFile', 'fork'];
const networkModules = /^(node:)?(http|https|http2|net|tls|dns|dgram|undici|inspector)(\/|$)/;
const networkGlobals = ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource', 'sendBeacon'];

interface Finding {
  readonly place: string;
  readonly what: string;
}

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?tsx?$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => path.join(folder, name));
}

/** What `judge` says of each node of a source. */
function findIn(file: string, text: string, judge: (node: ts.Node) => string | null): Finding[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const what = judge(node);
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    if (what !== null) found.push({ place: `${file}:${line + 1}`, what });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function moduleOf(node: ts.Node): string | null {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : null;
  }
  const isCall = ts.isCallExpression(node);
  const loads =
    isCall &&
    (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
      /(^|\.)(require|getBuiltinModule)$/.test(node.expression.getText()));
  const [first] = isCall ? node.arguments : [];
  return loads && first !== undefined && ts.isStringLiteralLike(first) ? first.text : null;
}

/** A shell, a command that is one text, or a text that is run as code. */
function shellIn(node: ts.Node): string | null {
  if (/^(node:)?child_process$/.test(moduleOf(node) ?? '')) {
    if (!ts.isImportDeclaration(node)) return 'child_process is not imported by name';
    const bindings = node.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) return 'child_process is imported whole';
    const names = bindings.elements.filter((each) => !each.isTypeOnly);
    const other = names.find(({ name, propertyName }) => !starters.includes((propertyName ?? name).text));
    return other === undefined ? null : `imports ${other.getText()}`;
  }
  const isOption = ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node);
  if (isOption && /^['"]?shell(Path|Args)?['"]?$/.test(node.name.getText())) return 'an option "shell"';
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return null;
  const callee = node.expression.getText();
  if (/\bShellExecution$/.test(callee)) return callee;
  // A terminal may be shown, and a command typed into it that is the same for everyone.
  const [typed] = node.arguments ?? [];
  if (/\bsendText$/.test(callee) && (typed === undefined || !ts.isStringLiteral(typed))) return callee;
  if (callee === 'eval' || callee === 'Function') return callee;
  return null;
}

function networkIn(node: ts.Node): string | null {
  const from = moduleOf(node);
  if (from !== null && networkModules.test(from)) return `loads ${from}`;
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return null;
  const called = /(?:^|\.)(\w+)$/.exec(node.expression.getText())?.[1] ?? '';
  return networkGlobals.includes(called) ? `calls ${called}` : null;
}

const all = [...sources('src'), ...sources('webview')];

describe('sources', () => {
  test('are there to be read', () => {
    expect(all.length).toBeGreaterThan(200);
    expect(all).toContain(path.join('src', 'cli.ts'));
  });

  test('start programs with arguments one by one, and never a shell', () => {
    expect(all.flatMap((file) => findIn(file, readFileSync(path.join(root, file), 'utf8'), shellIn))).toEqual(
      [],
    );
  });

  test('talk to no network', () => {
    expect(
      all.flatMap((file) => findIn(file, readFileSync(path.join(root, file), 'utf8'), networkIn)),
    ).toEqual([]);
  });
});

describe('the search finds', () => {
  test.each([
    ["import { exec } from 'node:child_process';", 'imports exec'],
    ["import { execSync as run } from 'child_process';", 'imports execSync as run'],
    ["import * as processes from 'node:child_process';", 'child_process is imported whole'],
    ["import processes from 'node:child_process';", 'child_process is imported whole'],
    ["const { exec } = require('node:child_process');", 'child_process is not imported by name'],
    ["const { exec } = await import('child_process');", 'child_process is not imported by name'],
    ["process.getBuiltinModule('child_process').exec(x);", 'child_process is not imported by name'],
    ["spawn('npm', words, { shell: true });", 'an option "shell"'],
    ["const shell = true; spawn('npm', words, { shell });", 'an option "shell"'],
    ["spawn('npm', words, { 'shell': '/bin/sh' });", 'an option "shell"'],
    ['new vscode.ShellExecution(`train ${name}`);', 'vscode.ShellExecution'],
    ['terminal.sendText(name);', 'terminal.sendText'],
    ['terminal.sendText(`npm install ${name}`, false);', 'terminal.sendText'],
    ['vscode.window.createTerminal({ shellArgs: [name] });', 'an option "shell"'],
    ['new Function(name);', 'Function'],
  ])('%s', (text, what) => {
    expect(findIn('a.ts', text, shellIn).map((found) => found.what)).toEqual([what]);
  });

  test.each([
    ["import https from 'node:https';", 'loads node:https'],
    ["export { lookup } from 'dns/promises';", 'loads dns/promises'],
    ["require('net').connect(1);", 'loads net'],
    ['await fetch(address);', 'calls fetch'],
    ['globalThis.fetch(address);', 'calls fetch'],
    ['new WebSocket(address);', 'calls WebSocket'],
  ])('%s', (text, what) => {
    expect(findIn('a.ts', text, networkIn).map((found) => found.what)).toContain(what);
  });

  test.each([
    "import { spawn, type ChildProcess } from 'node:child_process';",
    'found.exec(text);',
    "terminal.sendText('npm test');",
  ])('nothing in %s', (text) => {
    expect([...findIn('a.ts', text, shellIn), ...findIn('a.ts', text, networkIn)]).toEqual([]);
  });
});
