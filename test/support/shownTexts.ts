// Reads the texts that a person is shown out of the sources of the editor and the page, for the tests of l10n.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '../..');

/** A text in the sources, with its place. */
export interface SourceText {
  readonly text: string;
  readonly place: string;
  /** Named calls and properties that it lies in, the nearest first: `vscode.l10n.t`, `title:`. */
  readonly around: readonly string[];
}

/** TypeScript files of the editor and of the page. */
export function editorSources(): string[] {
  return ['src/editor', 'webview'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
      .sort(),
  );
}

/** Every literal text of a source, but for imports and types. */
export function literalTexts(file: string): SourceText[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: SourceText[] = [];
  const visit = (node: ts.Node, around: readonly string[]): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    const isText =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddle(node) ||
      ts.isTemplateTail(node);
    if (isText) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ text: node.text, place: `${file}:${line + 1}`, around });
    }
    const name = nameOf(node);
    const inside = name === null ? around : [name, ...around];
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(source, []);
  return found;
}

/** English texts that go through l10n, once each, in alphabetical order. */
export function translatedTexts(): string[] {
  const texts = editorSources()
    .flatMap(literalTexts)
    .filter(({ around: [nearest] }) => isTranslation(nearest))
    .map(({ text }) => text);
  return [...new Set(texts)].sort();
}

/** True for the name of a call that translates. */
export function isTranslation(name: string | undefined): boolean {
  return name !== undefined && /^(?:.*\.)?t$/.test(name);
}

function nameOf(node: ts.Node): string | null {
  if (ts.isCallExpression(node) || ts.isNewExpression(node))
    return node.expression.getText().replace(/\s+/g, '');
  if (ts.isPropertyAssignment(node)) return `${node.name.getText()}:`;
  return null;
}
