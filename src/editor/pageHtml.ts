// The page's HTML: nothing but its root, its script and its style, under a strict content security policy. No vscode.
import { randomBytes } from 'node:crypto';

export interface PageFiles {
  /** What VS Code calls the origin of the extension's files. */
  readonly cspSource: string;
  readonly scriptUri: string;
  readonly styleUri: string;
}

/**
 * @param entry absolute path of the entry; the page keeps it, so that VS Code can bring the page back after a reload
 * @param language of the texts, as BCP 47
 */
export function pageHtml(
  { cspSource, scriptUri, styleUri }: PageFiles,
  entry: string,
  language: string,
): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    `img-src ${cspSource} data:`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Batch Planner</title>
<link rel="stylesheet" href="${escapeHtml(styleUri)}">
</head>
<body data-entry="${escapeHtml(entry)}">
<main id="batch-planner"></main>
<script nonce="${nonce}" src="${escapeHtml(scriptUri)}"></script>
</body>
</html>`;
}

/** For text and attribute values in double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
