// WASM that is filled to its end throws, changes no other tensor, and works on once there is room.
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { saysOutOfMemory } from '../../src/protocol/outOfMemoryText';
import { wasmBudgetBytes } from '../../src/engine/wasm/memoryGuard';
import type { Filled } from './backendsMemoryProgram';

const needed = 5.5e9;
const tooSmall = os.freemem() < needed;

function fill(limitBytes: number): Filled {
  const program = path.join(import.meta.dirname, 'backendsMemoryProgram.ts');
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program, String(limitBytes)], {
    encoding: 'utf8',
    timeout: 150_000,
  });
  const line = stdout.split('\n').find((each) => each.startsWith('FILLED '));
  if (line === undefined) throw new Error(`nothing told:\n${stdout}\n${stderr}`);
  return JSON.parse(line.slice('FILLED '.length)) as Filled;
}

describe.skipIf(tooSmall)(`WASM's memory (needs ${String(needed / 1e9)} GB free)`, () => {
  for (const [name, limitBytes] of [
    ['up to the budget', wasmBudgetBytes],
    ['beyond it, to the end of what WebAssembly can address', 2 ** 40],
  ] as const) {
    it(`filled ${name}: throws an out-of-memory, and every tensor is as it was`, { timeout: 180_000 }, () => {
      const filled = fill(limitBytes);
      expect(filled.pieces).toBeGreaterThan(25);
      expect(filled.error).toContain('WASM is out of memory');
      expect(saysOutOfMemory(filled.error)).toBe(true);
      expect(filled.changed).toBe(0);
      expect(filled.liveBytes).toBeLessThanOrEqual(Math.min(limitBytes, 2 ** 32));
      expect(filled.square).toBe(144);
      expect(filled.productAgain).toBe(8192);
    });
  }

  it(
    'a product whose workspace does not fit throws too, in the place of a result of whatever lay there',
    { timeout: 180_000 },
    () => {
      expect(fill(2 ** 40).product).toContain('WASM is out of memory');
    },
  );
});
