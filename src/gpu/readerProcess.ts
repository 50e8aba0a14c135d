// The host's hold on one GPU reader child: one request at a time, a time limit, and an end that leaves nothing behind.
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { killTree, treeSpawnOptions } from './processTree';
import { readerReply, type DeviceReading, type GpuProblem, type ReaderRequest } from './types';

/** A reading, or why there is none; after a failure the child is gone. */
export type ReaderOutcome = { readonly reading: DeviceReading } | { readonly failure: GpuProblem };

/** What a GPU reader can do for its host. */
export interface GpuReader {
  readonly pid: number | undefined;
  /** Takes one reading. Not to be called while one is under way. */
  read(request: Omit<ReaderRequest, 'type' | 'id'>, timeoutMs: number): Promise<ReaderOutcome>;
  /** Ends the child, and every tool it started, at once. A reading under way ends with a failure. */
  kill(): void;
}

/** Starts the reader script `readerPath` with `environment`. */
export function startReader(readerPath: string, environment: NodeJS.ProcessEnv): GpuReader {
  return new ReaderProcess(readerPath, environment);
}

/** Enough of what a dying reader says to tell why. */
const longestComplaint = 4000;

class ReaderProcess implements GpuReader {
  private readonly child: ChildProcess;
  private complaint = '';
  private nextId = 0;
  private ended: GpuProblem | null = null;
  /** Ends the request under way. */
  private settle: ((outcome: ReaderOutcome) => void) | null = null;

  constructor(readerPath: string, environment: NodeJS.ProcessEnv) {
    this.child = fork(readerPath, [], {
      ...treeSpawnOptions(process.platform),
      // Neither the host's debugger port nor its preloads are the reader's.
      execArgv: [],
      env: { ...environment, NODE_OPTIONS: '', ELECTRON_RUN_AS_NODE: '1' },
      // Windows looks for programs in the current folder first: never in the user's workspace.
      cwd: path.dirname(readerPath),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaint = (this.complaint + text).slice(-longestComplaint);
    });
    this.child.on('message', (message) => this.received(message));
    this.child.on('error', (error) => this.end({ kind: 'readerDied', message: cannotStart(error.message) }));
    this.child.on('close', (code, signal) => this.end(diedProblem(code, signal, this.complaint)));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  read(request: Omit<ReaderRequest, 'type' | 'id'>, timeoutMs: number): Promise<ReaderOutcome> {
    if (this.ended !== null) return Promise.resolve({ failure: this.ended });
    if (this.settle !== null) throw new Error('A GPU reader takes one request at a time.');
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.endAndKill({ kind: 'timeout', message: timeoutMessage(timeoutMs) });
      }, timeoutMs);
      this.settle = (outcome) => {
        clearTimeout(timer);
        this.settle = null;
        resolve(outcome);
      };
      this.nextId += 1;
      const message: ReaderRequest = { type: 'read', id: this.nextId, ...request };
      // A child that dies while it is written to is told by its `close`.
      this.child.send(message, () => undefined);
    });
  }

  kill(): void {
    this.endAndKill({ kind: 'readerDied', message: 'The GPU reader was stopped.' });
  }

  private received(message: unknown): void {
    const reply = readerReply.safeParse(message);
    if (!reply.success) {
      this.endAndKill({
        kind: 'unreadable',
        message: 'The GPU reader gave an answer that cannot be understood.',
      });
    } else if (reply.data.id === this.nextId) this.settle?.({ reading: reply.data.reading });
  }

  private endAndKill(problem: GpuProblem): void {
    const { pid } = this.child;
    const isRunning = this.ended === null && this.child.exitCode === null && this.child.signalCode === null;
    this.end(problem);
    if (!isRunning || pid === undefined) return;
    killTree(pid);
    // A tool stuck in the kernel may hold the pipes for as long as it likes: the host does not wait for it.
    this.child.stderr?.destroy();
    if (this.child.connected) this.child.disconnect();
    this.child.unref();
  }

  private end(problem: GpuProblem): void {
    this.ended ??= problem;
    this.settle?.({ failure: this.ended });
  }
}

function timeoutMessage(timeoutMs: number): string {
  return (
    `Reading the GPU took longer than ${Math.round(timeoutMs / 1000)} s and was given up; ` +
    'nvidia-smi or the graphics driver may hang.'
  );
}

function cannotStart(reason: string): string {
  return `The GPU reader could not be started: ${reason}`;
}

function diedProblem(code: number | null, signal: NodeJS.Signals | null, complaint: string): GpuProblem {
  const how = signal === null ? `exit code ${code ?? 'none'}` : `signal ${signal}`;
  const lines = complaint.split('\n').map((line) => line.trim());
  const reason = lines.find((line) => /^(\w*Error|Error)\b/.test(line)) ?? lines.find((line) => line !== '');
  const why = reason === undefined ? '' : `: ${reason}`;
  return { kind: 'readerDied', message: `The GPU reader ended by itself (${how})${why}` };
}
