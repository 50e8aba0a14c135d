// The page's history of a run is what the extension sent, and its CSV says the same.
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import type { RunHistoryPart } from '../../../src/protocol/page';
import { RunHistory } from '../../../webview/chart/runHistory';
import { runCsv } from '../../../webview/run/csv';
import { historyOf, mark } from '../../support/runFixtures';

function historyFrom(...parts: RunHistoryPart[]): RunHistory {
  const history = new RunHistory();
  for (const part of parts) expect(history.add(part)).toBe(true);
  return history;
}

function losses(history: RunHistory): number[] {
  return Array.from({ length: history.length }, (_, point) => history.loss.at(point));
}

it('joins parts', () => {
  const first = historyOf(300);
  const second = historyOf(200, { from: 300 });
  const history = historyFrom(first, second);
  expect(losses(history)).toEqual([...first.points.loss, ...second.points.loss]);
  expect(history.epochs.map(({ epoch }) => epoch)).toEqual([0, 1]);
});

it('is replaced by a part from the start', () => {
  const other = historyOf(10, {
    seed: 3,
    metrics: ['mae'],
    updatesPerEpoch: 5,
    marks: [mark('started', 0, 'b')],
  });
  const history = historyFrom(historyOf(600, { marks: [mark('started', 0, 'a')] }), other);
  expect(losses(history)).toEqual(other.points.loss);
  expect(history.metricNames()).toEqual(['mae']);
  expect(history.epochs).toEqual(other.epochs);
  expect(history.marks).toEqual(other.marks);
  expect(history.epochFigures('acc').values.length).toBe(0);
});

it('goes back to where a part begins', () => {
  const again = historyOf(100, { from: 200, seed: 9 });
  const history = historyFrom(historyOf(300), again);
  expect(history.length).toBe(300);
  expect(losses(history).slice(200)).toEqual(again.points.loss);
  // The epoch that ended at 240 was trained again.
  expect(history.epochs.map(({ point }) => point)).toEqual([240]);
});

it('refuses a part whose beginning is missing', () => {
  const history = historyFrom(historyOf(10));
  expect(history.add(historyOf(10, { from: 11 }))).toBe(false);
  expect(history.length).toBe(10);
});

it('knows metrics that come up later', () => {
  const later = historyOf(5, { from: 5, metrics: ['acc', 'auc'] });
  const history = historyFrom(historyOf(5), later, historyOf(5, { from: 10 }));
  const auc = history.metrics.get('auc');
  expect(Array.from({ length: 15 }, (_, point) => auc?.at(point))).toEqual([
    ...Array.from({ length: 5 }, () => NaN),
    ...(later.points.metrics.auc ?? []),
    ...Array.from({ length: 5 }, () => NaN),
  ]);
});

it('knows which epoch an update is of', () => {
  const history = historyFrom(historyOf(25, { updatesPerEpoch: 10 }));
  expect([0, 9, 10, 19, 20, 24].map((point) => history.epochAt(point))).toEqual([1, 1, 2, 2, 3, 3]);
  expect(historyFrom(historyOf(5)).epochAt(0)).toBeNull();
});

it('is copied as CSV with every value', () => {
  const part = historyOf(25, { updatesPerEpoch: 10, metrics: ['acc', 'a "quoted", name'] });
  part.points.loss[3] = null;
  const { text, every } = runCsv(historyFrom(part), 1e6);
  expect(every).toBe(1);
  const rows: Record<string, string>[] = parse(text, { columns: true });
  expect(rows.length).toBe(25);
  const column = (name: string) => rows.map((row) => (row[name] === '' ? null : Number(row[name])));
  expect(column('update')).toEqual(Array.from({ length: 25 }, (_, point) => point + 1));
  expect(column('loss')).toEqual(part.points.loss);
  expect(column('time_ms')).toEqual(part.points.timeMs);
  expect(column('memory_bytes')).toEqual(part.points.memoryBytes);
  expect(column('examples_per_second')).toEqual(part.points.examplesPerSecond);
  expect(column('a "quoted", name')).toEqual(part.points.metrics['a "quoted", name']);
  expect(rows.filter((row) => row.epoch_val_loss !== '').map((row) => row.update)).toEqual(['10', '20']);
  expect(column('epoch_val_loss')[9]).toBe(part.epochs[0]?.logs.val_loss);
});

it('leaves out rows, and says so, where the CSV would be too long to copy', () => {
  const history = historyFrom(historyOf(2000, { updatesPerEpoch: 500 }));
  const whole = runCsv(history, Infinity).text.length;
  const { text, every } = runCsv(history, whole / 3);
  expect(text.length).toBeLessThanOrEqual(whole / 3);
  expect(every).toBe(4);
  const rows: Record<string, string>[] = parse(text, { columns: true });
  const updates = rows.map((row) => Number(row.update));
  expect(updates).toContain(1);
  expect(updates).toContain(5);
  // The ends of epochs stay.
  expect(updates).toContain(1500);
});
