// Evaluates expressions in a real extension host, to measure what the extension does to its thread.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { z } from 'zod';
import { editorPrograms } from '../editorLane.mjs';

const answer = z.union([z.object({ value: z.unknown() }), z.object({ failure: z.string() })]);

export class HostInspector {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly reader: Interface,
  ) {}

  /** @param pid of the extension host; @param lane the editor's */
  static async open(lane: string, pid: number): Promise<HostInspector> {
    const program = path.resolve(import.meta.dirname, 'inspectHost.mjs');
    const child = spawn(editorPrograms(lane).node, [program, String(pid)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const reader = createInterface({ input: child.stdout });
    const inspector = new HostInspector(child, reader[Symbol.asyncIterator](), reader);
    const first = await inspector.lines.next();
    if (first.value !== '"ready"') throw new Error('the extension host cannot be inspected');
    return inspector;
  }

  /** The expression's value, which JSON can carry. @throws Error with the host's own error */
  async evaluate(expression: string): Promise<unknown> {
    this.child.stdin?.write(`${expression.replace(/\s*\n\s*/g, ' ')}\n`);
    const { value } = await this.lines.next();
    const checked = answer.parse(JSON.parse(String(value)));
    if ('failure' in checked) throw new Error(checked.failure);
    return checked.value;
  }

  close(): void {
    this.reader.close();
    this.child.kill();
  }
}
