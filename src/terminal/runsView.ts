// What `runs` shows to people: a line for each run, newest first, or two where the terminal is too narrow for one.
import path from 'node:path';
import { shownLine } from '../planning/shownText';
import { formatDuration, formatCounted } from '../planning/units';
import type { RunSummary } from '../supervise/runs/runsCommand';
import { cut, fitLine, textWidth } from './fitLine';
import { terminalStyle, type Colors, type OutputStream, type TerminalStyle } from './style';
import { figure } from './trainingLines';

const gap = '  ';

export function createRunsView(
  out: OutputStream & { write(text: string): unknown },
  style: TerminalStyle = terminalStyle(out),
): { show(runs: readonly RunSummary[]): void } {
  return {
    show: (runs) => {
      out.write(`${renderRuns(runs, style.columns(), style.colors).join('\n')}\n`);
    },
  };
}

/** The parts of a line. The smaller the rank the longer a part stays where there is little room. */
const parts = [
  { key: 'name', rank: 0, align: 'left' },
  { key: 'state', rank: 0, align: 'left' },
  { key: 'epochs', rank: 0, align: 'right' },
  { key: 'updates', rank: 4, align: 'right' },
  { key: 'loss', rank: 0, align: 'left' },
  { key: 'took', rank: 3, align: 'right' },
  { key: 'backend', rank: 6, align: 'left' },
  { key: 'failure', rank: 5, align: 'none' },
  { key: 'folder', rank: 7, align: 'none' },
] as const;
type Key = (typeof parts)[number]['key'];

/** The lines, none wider than `columns`. */
export function renderRuns(runs: readonly RunSummary[], columns: number, colors: Colors): string[] {
  if (runs.length === 0) return ['No runs in this folder.'];
  const rows = runs.map((run) => ({ run, texts: textsOf(run) }));
  const widthOf = (key: Key): number => Math.max(...rows.map(({ texts }) => textWidth(texts[key])));
  const least = parts.filter(({ rank }) => rank === 0).map(({ key }) => widthOf(key));
  const needed = least.reduce((sum, width) => sum + (width === 0 ? 0 : gap.length + width), -gap.length);
  return rows.flatMap(({ run, texts }) => {
    const color = colorOf(run.state, colors);
    if (needed > columns) {
      const below = parts
        .filter(({ key }) => key !== 'name')
        .map(({ key, rank }, index) => ({
          rank: key === 'state' ? 0 : rank + index / 100 + 1,
          text: key === 'state' ? color(texts.state) : texts[key],
        }));
      return [cut(texts.name, columns), gap + fitLine(below, Math.max(1, columns - gap.length), gap)];
    }
    const line = parts.map(({ key, rank, align }) => {
      const blanks = ' '.repeat(align === 'none' ? 0 : widthOf(key) - textWidth(texts[key]));
      const text = key === 'state' ? color(texts.state) : texts[key];
      return { rank, text: align === 'right' ? blanks + text : text + blanks };
    });
    return [fitLine(line, columns, gap).trimEnd()];
  });
}

function textsOf(run: RunSummary): Record<Key, string> {
  const loss = run.logs?.val_loss !== undefined ? 'val_loss' : 'loss';
  const value = run.logs?.[loss];
  const took = run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt);
  return {
    name: shownLine(run.name),
    state: run.state,
    epochs: run.epochs === null ? '' : formatCounted(run.epochs, 'epoch'),
    updates: run.updates === null ? '' : formatCounted(run.updates, 'update'),
    loss: value === undefined ? '' : `${loss} ${figure(value)}`,
    took: took === null ? '' : formatDuration(took),
    backend: run.backend ?? '',
    failure: shownLine(run.failure ?? ''),
    folder: shownLine(path.relative('', run.folder)),
  };
}

function colorOf(state: RunSummary['state'], colors: Colors): (text: string) => string {
  if (state === 'completed') return colors.green;
  if (state === 'failed') return colors.red;
  return state === 'interrupted' || state === 'stopped' ? colors.yellow : colors.cyan;
}
