// `train` in a real terminal: one line that is redrawn and never wraps, the cursor given back, Ctrl-C as a key.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textWidth } from '../../src/terminal/fitLine';
import { mlp } from '../support/trainScripts';
import { buildTrainProgram, type Project, type TrainProgram } from '../support/trainProgram';

const hasPython = spawnSync('python3', ['-c', 'import pty, fcntl, termios']).status === 0;

/** Runs a command in a terminal of the given columns; writes the key Ctrl-C once the text appears. */
const terminal = `
import fcntl, os, pty, struct, sys, termios
columns, key = int(sys.argv[1]), sys.argv[2].encode()
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
seen = b''
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if key and key in seen:
        os.write(fd, b'\\x03')
        key = b''
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

let program: TrainProgram;
beforeAll(async () => {
  program = await buildTrainProgram();
});
afterAll(() => program.remove());

function inTerminal(
  project: Project,
  columns: number,
  key = '',
): Promise<{ code: number | null; text: string }> {
  const command = [process.execPath, path.join(program.folder, 'main.cjs'), project.configPath];
  const child = spawn('python3', ['-c', terminal, String(columns), key, ...command], {
    cwd: project.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', NODE_OPTIONS: '' },
  });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, text }));
  });
}

const waits = '{ onBatchEnd: () => new Promise((resolve) => setTimeout(resolve, 40)) }';

test.skipIf(!hasPython).each([40, 80, 200])(
  'at %i columns the line is redrawn, never wraps, and the cursor comes back (needs python3)',
  async (columns) => {
    const project = program.project({
      script: mlp({ epochs: 6, callbacks: waits }),
      targetBatchSize: 32,
      microbatchSize: 16,
    });
    const { code, text } = await inTerminal(project, columns);
    expect(code).toBe(0);
    const drawn = text.split('\r\u001B[2K').slice(1);
    expect(drawn.length).toBeGreaterThan(3);
    for (const each of drawn) {
      for (const line of each.split('\r\n')) {
        // A path to copy stays whole: only the closing sentences may be longer.
        if (!/Run folder|batch-planner\/runs/.test(line)) expect(textWidth(line)).toBeLessThan(columns + 1);
      }
    }
    expect(text).toContain('epoch 6/6');
    expect(text).toContain('the model is saved');
    expect(text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(text.lastIndexOf('\u001B[?25l'));
  },
);

test.skipIf(!hasPython)('Ctrl-C as a key stops after the update and saves (needs python3)', async () => {
  const project = program.project({
    script: mlp({ epochs: 500, callbacks: waits }),
    targetBatchSize: 32,
    microbatchSize: 16,
  });
  const { code, text } = await inTerminal(project, 80, 'epoch 2/500');
  expect(code).toBe(130);
  expect(text).toContain('Stopping after this update, and saving. Once more ends at once.');
  expect(text).toContain('the state is saved.');
  expect(text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(text.lastIndexOf('\u001B[?25l'));
  expect(project.events().at(-1)).toMatchObject({ type: 'ended', how: 'stopped' });
});
