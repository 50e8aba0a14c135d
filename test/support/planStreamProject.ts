// Starts the planning process of the editor in a project of a test, and tells what it left running.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { PlanStreamMessage } from '../../src/protocol/planStream';
import {
  startPlanProcess,
  type PlanProcess,
  type PlanProcessOptions,
} from '../../src/supervise/plan/planProcess';
import type { CommandProject } from './commandLine';

export const cliFile = path.resolve(import.meta.dirname, '../../dist/cli.js');

export interface StartedPlan {
  readonly process: PlanProcess;
  readonly messages: PlanStreamMessage[];
  /** What came through onOutput. */
  output(): string;
  /** Processes of this planning that still run; empty where the system does not tell (not Linux). */
  running(): number[];
}

/** Plans an entry of the project on the cpu backend, unless told otherwise. */
export function startPlan(
  project: CommandProject,
  options: Partial<PlanProcessOptions> & { entryName?: string } = {},
): StartedPlan {
  const mark = `BATCH_PLANNER_TEST_PLAN=${randomUUID()}`;
  const [name = '', value = ''] = mark.split('=');
  const messages: PlanStreamMessage[] = [];
  let output = '';
  const temporary = path.join(project.folder, '..', 'tmp');
  const started = startPlanProcess({
    nodePath: process.execPath,
    cliFile,
    entry: project.path(options.entryName ?? 'train.cjs'),
    targetBatchSize: null,
    budgetBytes: null,
    headroomBytes: null,
    backend: 'cpu',
    objective: 'largest',
    device: null,
    cwd: project.folder,
    onMessage: (message) => messages.push(message),
    onOutput: (text) => (output += text),
    ...options,
    environment: {
      ...process.env,
      NODE_OPTIONS: '',
      TMPDIR: temporary,
      TEMP: temporary,
      TMP: temporary,
      ...options.environment,
      [name]: value,
    },
  });
  return { process: started, messages, output: () => output, running: () => processesWith(mark) };
}

/** Processes with a variable in their environment, which every child inherits whatever group or session it is in. */
export function processesWith(variable: string): number[] {
  if (!existsSync('/proc')) return [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
    } catch (error) {
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  });
}
