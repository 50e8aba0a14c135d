// A program for tests: waits for a file, takes the lock of a run folder, says how that went, and holds it until it is ended.
import { existsSync } from 'node:fs';
import { RunLock, RunLockedError } from '../../src/supervise/runs/runLock';

const [file = '', starter = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  console.log('ready');
  // Without a pause: all that wait begin in the same moment.
  while (!existsSync(starter));
  try {
    await RunLock.acquire(file, 'folder');
    console.log('won');
    setInterval(() => undefined, 1000);
  } catch (error) {
    if (!(error instanceof RunLockedError)) throw error;
    console.log(error.message);
  }
}

void main();
