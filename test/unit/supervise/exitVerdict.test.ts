// What the death of a child means: memory only where something says so.
import { expect, test } from 'vitest';
import { judgeExit, type ExitEvidence } from '../../../src/supervise/profile/exitVerdict';

const quiet: ExitEvidence = {
  code: null,
  signal: null,
  trialUnderWay: 8,
  stderr: '',
  killedByKernel: false,
  memoryExhausted: false,
};
const outcome = (evidence: Partial<ExitEvidence>) => judgeExit({ ...quiet, ...evidence }).outcome;

test.each<[string, Partial<ExitEvidence>]>([
  ["the kernel's out-of-memory killer", { signal: 'SIGKILL', killedByKernel: true }],
  ['the same behind a shell', { code: 137, killedByKernel: true }],
  ['std::bad_alloc', { signal: 'SIGABRT', stderr: 'what():  std::bad_alloc\n' }],
  ['the same behind a shell', { code: 134, stderr: 'std::bad_alloc' }],
  [
    'a full JavaScript heap',
    {
      signal: 'SIGABRT',
      stderr: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    },
  ],
  ['a crash with nearly all memory in use', { signal: 'SIGSEGV', memoryExhausted: true }],
  ["Windows' STATUS_NO_MEMORY", { code: 0xc0000017 }],
  ['the same as Node gives it, signed', { code: 0xc0000017 | 0 }],
])('%s is an out-of-memory', (_name, evidence) => {
  expect(outcome(evidence)).toBe('outOfMemory');
});

test.each<[string, Partial<ExitEvidence>]>([
  ['a kill from outside', { signal: 'SIGKILL' }],
  [
    'a kill where nothing tells who did it',
    { signal: 'SIGKILL', killedByKernel: null, memoryExhausted: null },
  ],
  ['a segmentation fault', { signal: 'SIGSEGV' }],
  ['a failed assertion', { signal: 'SIGABRT', stderr: 'Assertion failed: shape' }],
  ['an exit of its own, whatever was printed', { code: 1, stderr: 'out of memory' }],
  [
    'a death before any trial, even of memory',
    { signal: 'SIGABRT', stderr: 'std::bad_alloc', trialUnderWay: null },
  ],
  [
    "TensorFlow's note on an allocation that it then does otherwise",
    {
      signal: 'SIGSEGV',
      stderr:
        'ran out of memory trying to allocate 2.50GiB. The caller indicates that this is not a failure, but may mean that there could be performance gains',
    },
  ],
])('%s is a failure', (_name, evidence) => {
  expect(outcome(evidence)).toBe('failed');
});
