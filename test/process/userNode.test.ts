// Real programs that are asked whether they are Node.js: this one, and scripts that stand for those that cannot be used.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runNode } from '../../src/supervise/nodeQuestion';
import { findUserNode, UserNodeError, type UserNode } from '../../src/supervise/userNode';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'user-node-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program named node in a folder of its own, for PATH. */
function program(name: string, lines: string): string {
  const place = path.join(folder, name);
  mkdirSync(place);
  writeFileSync(path.join(place, 'node'), `#!/bin/sh\n${lines}\n`);
  chmodSync(path.join(place, 'node'), 0o755);
  return place;
}

const answer = (version: string, arch: string): string =>
  `echo '${JSON.stringify({ version, arch, platform: process.platform })}'`;

function find(PATH: string, more: NodeJS.ProcessEnv = {}): Promise<UserNode> {
  const environment = { PATH, HOME: folder, ...more };
  return findUserNode({ configured: null, environment, platform: process.platform });
}

test('this very Node.js is found on PATH, whatever NODE_OPTIONS preload', async () => {
  const place = path.dirname(process.execPath);
  const found = await find(place, { NODE_OPTIONS: '--require ./nothing.js' });
  expect(found).toEqual({
    nodePath: path.join(place, path.basename(process.execPath)),
    version: process.versions.node,
    arch: process.arch,
    platform: process.platform,
  });
});

describe.skipIf(process.platform === 'win32')('a program on PATH', () => {
  test('that is too old, or of another architecture, is passed over for the next', async () => {
    const old = program('old', answer('18.19.0', process.arch));
    const foreign = program('foreign', answer('22.0.0', 'mips'));
    const usable = path.join(folder, 'usable');
    mkdirSync(usable);
    symlinkSync(process.execPath, path.join(usable, 'node'));
    const found = await find([old, foreign, usable].join(path.delimiter));
    expect(found.nodePath).toBe(path.join(usable, 'node'));
  });

  test.each([
    ['tooOld', answer('18.19.0', process.arch)],
    ['otherArchitecture', answer('22.0.0', 'mips')],
    ['broken', 'echo hello'],
    ['broken', 'echo "it broke" >&2; exit 3'],
  ] as const)('is told as %s in the setting', async (kind, lines) => {
    const place = program('node-of-setting', lines);
    const found = findUserNode({
      configured: path.join(place, 'node'),
      environment: {},
      platform: process.platform,
    });
    const error = await found.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserNodeError);
    expect(error).toMatchObject({ kind });
  });

  test('that hangs is ended and told as broken', { timeout: 30_000 }, async () => {
    const place = program('hanging', 'exec sleep 600');
    const told = await runNode(path.join(place, 'node'), process.env);
    expect(told).toEqual({ how: 'failed', reason: 'it did not answer within 10 s' });
  });

  test('that may not be run, and a folder of that name, are told as broken', async () => {
    const place = program('forbidden', 'true');
    chmodSync(path.join(place, 'node'), 0o644);
    expect(await runNode(path.join(place, 'node'), {})).toMatchObject({ how: 'failed' });
    expect(await runNode(place, {})).toMatchObject({ how: 'failed' });
    expect(await runNode('/a\0b', {})).toMatchObject({ how: 'failed' });
    expect(await runNode(path.join(folder, 'none'), {})).toEqual({ how: 'notThere' });
  });
});
