// The GPU reader: a child process that reads GPUs for its host, so that no tool that hangs ever blocks the host.
// Its main thread only passes messages; systeminformation, which waits for tools synchronously, has a thread of its own.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { graphics, mem } from 'systeminformation';
import { gpusOfControllers, graphicsData, type ControllerGpu } from './controllers';
import { DeviceReader } from './deviceReader';
import { killTree } from './processTree';
import { readSystemMemory } from './systemMemory';
import { readerRequest, type ReaderReply } from './types';

/** Answer of the thread to a request of any content. */
type ThreadAnswer = { readonly gpus: ControllerGpu[] } | { readonly failure: string };

/** Serves systeminformation in the worker thread. */
function serveControllers(port: NonNullable<typeof parentPort>): void {
  port.on('message', () => {
    void controllersHere().then((answer) => port.postMessage(answer));
  });
}

async function controllersHere(): Promise<ThreadAnswer> {
  try {
    return { gpus: gpusOfControllers(graphicsData.parse(await graphics()), process.platform) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Asks the worker thread, which is started on first use. */
function controllersFromThread(): () => Promise<ControllerGpu[]> {
  let worker: Worker | null = null;
  return () =>
    new Promise((resolve, reject) => {
      const asked = (worker ??= new Worker(__filename));
      const answered = (answer: ThreadAnswer): void => {
        asked.off('error', broken);
        if ('gpus' in answer) resolve(answer.gpus);
        else reject(new Error(answer.failure));
      };
      const broken = (error: unknown): void => {
        worker = null;
        asked.off('message', answered);
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      asked.once('message', answered);
      asked.once('error', broken);
      asked.postMessage('graphics');
    });
}

/** Serves the host; ends with it. */
function serveHost(): void {
  const devices = new DeviceReader({
    controllers: controllersFromThread(),
    systemMemory: () =>
      readSystemMemory(
        process.platform === 'darwin' ? { macAvailableBytes: async () => (await mem()).available } : {},
      ),
  });
  let previous: Promise<void> = Promise.resolve();
  process.on('message', (message) => {
    const request = readerRequest.parse(message);
    previous = previous.then(async () => {
      const reply: ReaderReply = { type: 'reading', id: request.id, reading: await devices.read(request) };
      process.send?.(reply);
    });
  });
  // The host is gone. A tool may hang: it is taken along.
  process.on('disconnect', () => {
    killTree(process.pid);
    process.exit();
  });
}

if (!isMainThread && parentPort !== null) serveControllers(parentPort);
else if (process.send !== undefined) serveHost();
else {
  process.stderr.write(
    'This is the GPU reader of Batch Planner; it is started by it and answers only to it.\n',
  );
  process.exitCode = 2;
}
