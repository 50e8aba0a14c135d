// A run.json as a supervisor writes it.
import type { RunRecord } from '../../src/protocol/runEvents';

/** Of a training that goes on, in its first process. */
export function runRecordOf(change: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 1,
    name: 'run',
    entry: '/project/train.js',
    configPath: '/project/train.accumulation.json',
    config: {},
    startedAt: '2026-11-22T17:00:00Z',
    endedAt: null,
    state: 'training',
    supervisorPid: 1,
    microbatchSize: 4,
    targetBatchSize: 8,
    backend: null,
    device: null,
    nodeVersion: '20.0.0',
    productVersion: '0.0.0',
    seed: 1,
    attempts: 1,
    ...change,
  };
}
