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
  const files = ['src/editor', 'webview'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
      .sort(),
  );
  return ['src/extension.ts', ...files];
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
  const placeOf = (node: ts.Node): string =>
    `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
  const visit = (node: ts.Node, around: readonly string[]): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    const isText =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddle(node) ||
      ts.isTemplateTail(node);
    const joined = joinedText(node);
    if (joined !== null) {
      found.push({ text: joined, place: placeOf(node), around });
      return;
    }
    if (isText) {
      found.push({ text: node.text, place: placeOf(node), around });
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
  return name !== undefined && /^(?:.*\.)?#?t$/.test(name);
}

/** Long texts are written in several pieces. Null for anything but a sum of plain texts. */
function joinedText(node: ts.Node): string | null {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return null;
  const [left, right] = [node.left, node.right].map((side) =>
    ts.isStringLiteralLike(side) ? side.text : joinedText(side),
  );
  return left === null || right === null || left === undefined || right === undefined ? null : left + right;
}

function nameOf(node: ts.Node): string | null {
  if (ts.isCallExpression(node) || ts.isNewExpression(node))
    return node.expression.getText().replace(/\s+/g, '');
  if (ts.isPropertyAssignment(node)) return `${node.name.getText()}:`;
  return null;
}
