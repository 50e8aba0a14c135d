// What `runs` shows to people: a line for each run, newest first, and how to go on with one that did not end.
import path from 'node:path';
import { formatDuration, formatCounted } from '../planning/units';
import type { RunSummary } from '../supervise/runs/runsCommand';
import { fitLine } from './fitLine';
import { terminalStyle, type Colors, type OutputStream, type TerminalStyle } from './style';
import { figure } from './trainingLines';

export function createRunsView(
  out: OutputStream & { write(text: string): unknown },
  style: TerminalStyle = terminalStyle(out),
): { show(runs: readonly RunSummary[]): void } {
  return {
    show: (runs) => {
      const columns = style.isLive ? style.columns() - 1 : 400;
      out.write(`${renderRuns(runs, columns, style.colors).join('\n')}\n`);
    },
  };
}

/** The lines, none wider than `columns`. */
export function renderRuns(runs: readonly RunSummary[], columns: number, colors: Colors): string[] {
  if (runs.length === 0) return ['No runs in this folder.'];
  const names = Math.max(...runs.map(({ name }) => name.length));
  const states = Math.max(...runs.map(({ state }) => state.length));
  return runs.map((run) => {
    const loss = run.logs?.val_loss !== undefined ? 'val_loss' : 'loss';
    const value = run.logs?.[loss];
    const took = run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt);
    return fitLine(
      [
        { rank: 1, text: run.name.padEnd(names) },
        { rank: 0, text: colored(run.state, colors)(run.state.padEnd(states)) },
        { rank: 2, text: run.epochs === null ? '' : formatCounted(run.epochs, 'epoch') },
        { rank: 5, text: run.updates === null ? '' : formatCounted(run.updates, 'update') },
        { rank: 3, text: value === undefined ? '' : `${loss} ${figure(value)}` },
        { rank: 4, text: took === null ? '' : formatDuration(took) },
        { rank: 7, text: run.backend ?? '' },
        { rank: 6, text: run.failure ?? '' },
        { rank: 8, text: path.relative('', run.folder) },
      ],
      columns,
      '  ',
    );
  });
}

function colored(state: RunSummary['state'], colors: Colors): (text: string) => string {
  if (state === 'completed') return colors.green;
  if (state === 'failed') return colors.red;
  return state === 'interrupted' || state === 'stopped' ? colors.yellow : colors.cyan;
}
