// What the tests of the GPU reader share: the reader, built once for a file, and fake tools and monitors for each test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { GpuMonitor, type GpuMonitorOptions } from '../../src/gpu/monitor';
import { buildGpuReader, FakeGpuTools } from './fakeGpuTools';

export interface GpuReaderTests {
  /** For what else is built. */
  readonly folder: string;
  /** Those of the test that runs. */
  readonly tools: FakeGpuTools;
  /** Options with which only the fake tools are found. */
  options(more?: GpuMonitorOptions): GpuMonitorOptions;
  /** A monitor with these options, which is disposed after the test. */
  monitorOf(more?: GpuMonitorOptions): GpuMonitor;
}

/** Called once, at the top of a test file. */
export function useGpuReader(): GpuReaderTests {
  const folder = mkdtempSync(path.join(tmpdir(), 'batch-planner-reader-'));
  let readerPath = '';
  let fakes: FakeGpuTools | null = null;
  let monitors: GpuMonitor[] = [];
  beforeAll(async () => {
    readerPath = await buildGpuReader(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    fakes = new FakeGpuTools();
    monitors = [];
  });
  afterEach(() => {
    for (const monitor of monitors) monitor.dispose();
    tools().dispose();
  });

  const tools = (): FakeGpuTools => {
    if (fakes === null) throw new Error('there are tools in a test only');
    return fakes;
  };
  const options = (more: GpuMonitorOptions = {}): GpuMonitorOptions => {
    const locations = { nvidiaSmi: ['nvidia-smi'], drm: null };
    return { readerPath, environment: tools().environment, locations, ...more };
  };
  return {
    folder,
    get tools() {
      return tools();
    },
    options,
    monitorOf: (more = {}) => {
      const monitor = new GpuMonitor(options(more));
      monitors.push(monitor);
      return monitor;
    },
  };
}
