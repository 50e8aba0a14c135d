// Lets a script print what it likes: its output goes to a file, and a full disk is no reason to end its training.
import type { Writable } from 'node:stream';

type Write = (chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void) => void;

/**
 * Makes writing to the process's own output never fail. On a terminal or a pipe it fails only where nobody reads any
 * more; to a file Node writes at once and throws, which would end a script that prints its progress.
 */
export function guardOutput(streams: readonly Writable[] = [process.stdout, process.stderr]): void {
  for (const stream of streams) {
    const own = stream._write.bind(stream) as Write;
    const guarded: Write = (chunk, encoding, done) => {
      try {
        // What cannot be written is lost; the stream stays open for what comes when there is room again.
        own(chunk, encoding, () => done());
      } catch {
        done();
      }
    };
    stream._write = guarded;
  }
}
