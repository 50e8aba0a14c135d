// `npm run l10n`: writes the bundle of English texts that translations start from.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { translatedTexts } from './shownTexts';

const file = path.resolve(import.meta.dirname, '../../media/l10n/bundle.l10n.json');
mkdirSync(path.dirname(file), { recursive: true });
const texts = Object.fromEntries(translatedTexts().map((text) => [text, text]));
writeFileSync(file, `${JSON.stringify(texts, null, 2)}\n`);
