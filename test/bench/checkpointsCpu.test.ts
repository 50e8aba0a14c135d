// What the digest and the event of an update cost on the plain cpu backend, in a process of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, it } from 'vitest';
import { measureUpdate } from './checkpointsUpdate';

const folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-cost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('measures the digest and the event of an update on the plain cpu backend', { timeout: 300_000 }, () =>
  measureUpdate('cpu', folder),
);
