// The progress line: what it says at each width, that it never wraps, and that it is honest about what is not known.
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import { formatBytes } from '../../../src/planning/units';
import type { RunEvent } from '../../../src/protocol/runEvents';
import { cut, fitLine, textWidth, wrapText } from '../../../src/terminal/fitLine';
import { ScriptOutput } from '../../../src/supervise/runs/scriptOutput';
import { terminalStyle } from '../../../src/terminal/style';
import { createTrainingDisplay } from '../../../src/terminal/trainingDisplay';
import { epochLine, figure, progressLine } from '../../../src/terminal/trainingLines';
import { TrainingProgress } from '../../../src/supervise/runs/trainingProgress';

const plain = createColors(false);
const memory = formatBytes(6.3e9);
const time = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

function call(change: Partial<Extract<RunEvent, { type: 'call' }>> = {}): RunEvent {
  return {
    type: 'call',
    time: time(0),
    call: 0,
    method: 'fit',
    modelName: 'digits',
    targetBatchSize: 2048,
    microbatchSize: 22,
    examples: 20_480,
    epochs: 10,
    updatesPerEpoch: 10,
    passThrough: null,
    ...change,
  };
}

function update(index: number, epoch = 0, inCall = 0): Extract<RunEvent, { type: 'update' }> {
  return {
    type: 'update',
    time: time(index * 2),
    call: inCall,
    epoch,
    update: index,
    examples: 2048,
    microbatches: 94,
    ms: 2000,
    loss: 0.12345,
    metrics: { acc: 0.9312 },
    memoryBytes: 6.3e9,
  };
}

function training(events: readonly RunEvent[]): TrainingProgress {
  const progress = new TrainingProgress();
  for (const event of events) progress.add(event);
  return progress;
}

test('a training tells that it starts, when it goes on what it goes over, then the training', () => {
  const started: RunEvent = {
    type: 'started',
    time: time(100),
    pid: 1,
    attempt: 2,
    backend: { name: 'cpu', version: '4.22.0', deviceName: null, usesGpu: false, passedOver: [] } as never,
    tfjsVersion: '4.22.0',
    nodeVersion: '20.0.0',
  };
  const checkpoint: RunEvent = {
    type: 'checkpoint',
    time: time(3),
    call: 0,
    epoch: 0,
    update: 2,
    path: 'a',
    ms: 1,
    best: false,
  };
  const progress = training([]);
  expect(progressLine(progress, 120, plain)).toBe('starting: loading TensorFlow.js and the script');
  for (const event of [call(), update(0), update(1), checkpoint, update(2), started]) progress.add(event);
  const goingOver = 'going over what is done, without computing it: update';
  expect(progressLine(progress, 120, plain)).toBe(`${goingOver} 0/2`);
  progress.addProgress({ call: 0, epoch: 0, update: 0, microbatch: 0, of: 1 });
  expect(progressLine(progress, 120, plain)).toBe(`${goingOver} 1/2`);
  progress.add({ type: 'resumed', time: time(101), call: 0, epoch: 0, update: 2 });
  progress.add(update(2));
  expect(progressLine(progress, 120, plain)).toContain('update 3/10');
});

function thirdEpoch(): TrainingProgress {
  const progress = training([
    call(),
    ...Array.from({ length: 10 }, (_, i) => update(i, 0)),
    { type: 'epoch', time: time(19), call: 0, epoch: 0, logs: { loss: 0.2 }, ms: 20_000 },
    ...Array.from({ length: 5 }, (_, i) => update(10 + i, 1)),
  ]);
  progress.addProgress({ call: 0, epoch: 1, update: 15, microbatch: 56, of: 94 });
  return progress;
}

describe('the progress line', () => {
  test.each([
    [
      200,
      `epoch 2/10 · # · update 5/10 · microbatch 57/94 · loss 0.1235 · acc 0.9312 · 1,024 examples/s · 2 m 50 s left · ${memory}`,
    ],
    [80, 'epoch 2/10 · # · update 5/10 · loss 0.1235 · 2 m 50 s left'],
    [40, 'epoch 2/10 · update 5/10 · loss 0.1235'],
  ])('at %i columns', (columns, expected) => {
    const line = progressLine(thirdEpoch(), columns, plain);
    expect(textWidth(line)).toBeLessThanOrEqual(columns);
    expect(line.replace(/[█▏▎▍▌▋▊▉░]+/, '#')).toBe(expected);
  });

  test('has a bar as long as the epoch has gone: 5 of 10 updates and 56 of 94 microbatches of 24 characters', () => {
    // (5 + 56 / 94) / 10 · 24 = 13.43: thirteen full characters and three eighths.
    expect(progressLine(thirdEpoch(), 200, plain)).toContain(`${'█'.repeat(13)}▍${'░'.repeat(10)}`);
  });

  test('never is wider than the terminal, at any width and with colours', () => {
    for (let columns = 1; columns <= 220; columns++) {
      expect(textWidth(progressLine(thirdEpoch(), columns, createColors(true)))).toBeLessThanOrEqual(columns);
    }
  });

  test('of a data set whose length is not known counts, and tells no end before the first epoch is over', () => {
    const unknown = call({ method: 'fitDataset', updatesPerEpoch: null, examples: null });
    const first = training([unknown, update(0), update(1), update(2)]);
    expect(first.leftMs).toBeNull();
    expect(progressLine(first, 200, plain)).toBe(
      `epoch 1/10 · update 3 · loss 0.1235 · acc 0.9312 · 1,024 examples/s · ${memory}`,
    );
    first.add({ type: 'epoch', time: time(6), call: 0, epoch: 0, logs: {}, ms: 6000 });
    first.add(update(3, 1));
    // Two of three updates of this epoch are left, and eight epochs of three: 26 updates of 2 s.
    expect(first.leftMs).toBe(26 * 2000);
  });

  test('of a loop of trainOnBatch counts updates', () => {
    const each = call({ method: 'trainOnBatch', epochs: null, updatesPerEpoch: 1, examples: 64 });
    const progress = training([each, update(0), update(0, 0, 1), update(0, 0, 2)]);
    expect(progressLine(progress, 60, plain)).toMatch(/^digits, trainOnBatch · update 3 · loss 0\.1235/);
  });

  test('of a resumed epoch counts what was done before', () => {
    const progress = training([
      call(),
      { type: 'resumed', time: time(0), call: 0, epoch: 3, update: 36 },
      update(36, 3),
    ]);
    expect(progressLine(progress, 40, plain)).toMatch(/^epoch 4\/10 · update 7\/10/);
  });

  test('before anything is known says what is going on', () => {
    expect(progressLine(new TrainingProgress(), 80, plain)).toBe(
      'starting: loading TensorFlow.js and the script',
    );
  });

  test('of a loss that is not a number says so', () => {
    expect(progressLine(training([call(), { ...update(0), loss: null, metrics: {} }]), 80, plain)).toContain(
      'loss NaN',
    );
  });
});

test('the line of an epoch has each metric beside its validation', () => {
  const event = {
    type: 'epoch',
    time: time(1),
    call: 0,
    epoch: 2,
    logs: { val_loss: 0.5, val_acc: 0.8, loss: 0.4, acc: 0.9 },
    ms: 72_000,
  } as const;
  expect(epochLine(event, training([call()]), 200, plain)).toBe(
    'epoch 3/10 · loss 0.4000 · val_loss 0.5000 · acc 0.9000 · val_acc 0.8000 · 1 m 12 s',
  );
  expect(textWidth(epochLine(event, training([call()]), 40, plain))).toBeLessThanOrEqual(40);
});

test.each([
  [0.000012345, '1.23e-5'],
  [0, '0.0000'],
  [1.5, '1.5000'],
  [123.456, '123.46'],
  [1234.5, '1235'],
  [1e7, '1.00e+7'],
  [-2.5, '-2.5000'],
  [null, 'NaN'],
])('the figure %s is written %s', (value, text) => {
  expect(figure(value)).toBe(text);
});

describe('text', () => {
  test('wide characters take two columns, colours none', () => {
    expect(textWidth('日本')).toBe(4);
    expect(textWidth('\u001B[31mred\u001B[39m')).toBe(3);
    expect(cut('日本語', 4)).toBe('日…');
    expect(
      fitLine(
        [
          { rank: 0, text: 'abc' },
          { rank: 1, text: 'def' },
        ],
        8,
      ),
    ).toBe('abc');
    expect(wrapText('one two three', 7)).toEqual(['one two', 'three']);
  });

  test("of a script is shown but for tfjs' own progress and advice; a torn line waits for its end", () => {
    const output = new ScriptOutput();
    expect(output.add('Epoch 1 / 10\n12ms 40us/step - loss=0.3 \nmy own li')).toEqual([]);
    expect(output.add('ne\n50 %\r100 %\r\n\u001B[2Kgone\n')).toEqual(['my own line', '100 %', 'gone']);
    expect(
      output.add(
        '\n============================\nHi, looks like you are running TensorFlow.js in Node.js. To\n============================\n\nend',
      ),
    ).toEqual(['']);
    expect(output.end()).toEqual(['end']);
  });

  test('of a script keeps colours and tabs, and nothing else that steers a terminal', () => {
    const title = '\u001B]0;title\u0007';
    const clipboard = '\u001B]52;c;aGk=\u001B\\';
    expect(
      new ScriptOutput().add(
        `${title}a\tb${clipboard}\u001B[1;31mred\u001B[0m\u001B[5Aup\u001Bcd\b\u009B2J\n`,
      ),
    ).toEqual(['a\tb\u001B[1;31mred\u001B[0mupd']);
  });

  test('is not broken within a product or an amount, and a command at its end stays whole', () => {
    expect(wrapText('a batch of 512 = 2 × 86 + 4 × 85', 26)).toEqual(['a batch of 512 = 2 × 86 +', '4 × 85']);
    expect(wrapText('over the budget of 45.0 MB', 25)).toEqual(['over the budget of', '45.0 MB']);
    expect(wrapText("Stopped. Go on with: batch-planner train 'a b.json' --resume", 30, '  ')).toEqual([
      'Stopped. Go on with:',
      "  batch-planner train 'a b.json' --resume",
    ]);
  });
});

test.each([
  [{ isTTY: true }, {}, true, true],
  [{ isTTY: true }, { NO_COLOR: '1' }, true, false],
  [{ isTTY: true }, { NO_COLOR: '' }, true, true],
  [{ isTTY: true }, { TERM: 'dumb' }, false, false],
  [{}, {}, false, false],
  [{}, { FORCE_COLOR: '1' }, false, true],
  [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, false],
  [{ isTTY: true }, { FORCE_COLOR: '0' }, true, false],
])('%j with %j: redrawn %s, coloured %s', (stream, environment, isLive, isColored) => {
  const style = terminalStyle(stream, environment);
  expect(style.isLive).toBe(isLive);
  expect(style.colors.bold('x') !== 'x').toBe(isColored);
});

describe('the display', () => {
  function shown(isTTY: boolean, columns = 80) {
    let text = '';
    let now = 0;
    const out = { isTTY, columns, write: (piece: string) => (text += piece) };
    const display = createTrainingDisplay(out, terminalStyle(out, { NO_COLOR: '1' }), () => now);
    return { display, text: () => text, pass: (ms: number) => (now += ms) };
  }

  test('into a pipe: a line an epoch, and at most one every 10 s within', () => {
    const { display, text, pass } = shown(false);
    display.event(call());
    for (let second = 0; second < 25; second++) {
      display.event(update(second, 0));
      display.refresh();
      pass(1000);
    }
    display.event({ type: 'epoch', time: time(60), call: 0, epoch: 0, logs: { loss: 0.1 }, ms: 25_000 });
    display.end();
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    const within = lines.filter((line) => line.includes('update'));
    expect(within).toEqual([
      `epoch 1/10 · update 11/10 · loss 0.1235 · acc 0.9312 · 1,024 examples/s · 2 m 58 s left · ${memory}`,
      `epoch 1/10 · update 21/10 · loss 0.1235 · acc 0.9312 · 1,024 examples/s · 2 m 38 s left · ${memory}`,
    ]);
    expect(text()).not.toContain('\u001B');
  });

  test('into a pipe: the longer a training, the more time between two lines, up to a minute', () => {
    const { display, text, pass } = shown(false);
    const linesAt: number[] = [];
    display.event(call());
    for (let second = 0; second < 7200; second++) {
      display.event({ ...update(second, 0), update: second });
      const before = text().length;
      display.refresh();
      if (text().length > before) linesAt.push(second);
      pass(1000);
    }
    const pauses = linesAt.slice(1).map((at, index) => at - (linesAt[index] ?? 0));
    expect(linesAt[0]).toBe(10);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(60);
  });

  test('into a pipe: without the colours of a script', () => {
    const { display, text } = shown(false);
    display.output('\u001B[31mred\u001B[39m\n');
    expect(text()).toBe('red\n');
  });

  test('shows names and messages of others without what steers a terminal', () => {
    const { display, text } = shown(false);
    const evil = 'a\u001B[2Jb\u202Ec';
    display.event(call({ modelName: evil, method: 'trainOnBatch' }));
    display.event({ ...update(0), metrics: { [evil]: 0.5 } });
    display.event({ type: 'warning', time: time(1), warning: { code: 'note', message: evil, layers: [] } });
    display.event({
      type: 'outOfMemory',
      time: time(2),
      call: 0,
      epoch: 0,
      update: 1,
      microbatch: 4,
      message: evil,
    });
    display.say(`in two lines: ${evil}\n  at b.js`);
    display.end();
    expect(text()).not.toMatch(/[\u001B\u202E]/);
    expect(text()).toContain('in two lines: a\\u001b[2Jb\\u202ec\n  at b.js\n');
  });

  test('on a terminal: one line is redrawn, what stays is above it, and the cursor is shown again', () => {
    const { display, text } = shown(true, 60);
    display.event(call());
    display.refresh();
    display.event(update(0));
    display.output('hello\n');
    display.refresh();
    display.end();
    expect(text()).toContain('\r\u001B[2Khello\n');
    expect(text().lastIndexOf('\u001B[?25h')).toBeGreaterThan(text().lastIndexOf('\u001B[?25l'));
    expect(text().match(/\n/g)).toHaveLength(1);
    expect(text().endsWith('\u001B[?7h\u001B[?25h')).toBe(true);
  });
});
