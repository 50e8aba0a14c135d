// Names and messages with escape sequences and turns of the reading direction, through the real commands: none is shown.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../../src/protocol/exitCodes';
import { openCommandProject, type CommandProject } from '../support/commandLine';

const limit = 240_000;
let project: CommandProject;
beforeEach(() => {
  project = openCommandProject();
});
afterEach(() => project.remove());

/** Clears the screen; sets the window's title; turns the reading direction; a control of eight bits. */
const evil = 'a\u001B[2J\u001B]0;b\u0007\u202Ec\u009Bd';
const shown = String.raw`a\u001b[2J\u001b]0;b\u0007\u202ec\u009bd`;
/** Files have no such names on Windows. */
const entry = process.platform === 'win32' ? 'b\u202Ec.cjs' : `${evil.replace('/', '')}.cjs`;
const shownEntry = process.platform === 'win32' ? String.raw`b\u202ec.cjs` : `${shown}.cjs`;

const script = `const tf = require('@tensorflow/tfjs');
const evil = ${JSON.stringify(evil)};
const model = tf.sequential({ name: evil });
model.add(tf.layers.dense({ units: 2, inputShape: [4] }));
model.add(tf.layers.dropout({ rate: 0.1 }));
// A name that TensorFlow.js takes from no one who makes a layer.
model.layers[1].name = 'drop ' + evil;
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
model.fit(tf.ones([32, 4]), tf.ones([32, 2]), { batchSize: 16, epochs: 1, verbose: 0 }).then(() => {
  console.log('done');
  throw new Error('first line ' + evil + '\\nsecond line');
});
`;

/** Controls but line ends and tabs, and turns of the reading direction. */
const acting = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/u;

test(
  'plan, train, runs and follow show what is in names and messages, and do nothing of it',
  { timeout: limit },
  async () => {
    project.write(entry, script);
    const planned = await project.run([
      'plan',
      entry,
      '--target-batch',
      '16',
      '--backend',
      'cpu',
      '--budget',
      '4GB',
    ]);
    expect(planned.code, planned.err).toBe(exitCodes.done);
    expect(planned.out + planned.err).not.toMatch(acting);
    expect(planned.out).toContain(`Planning ${shownEntry}`);
    expect(planned.out).toContain(`Model ${shown}: `);
    expect(planned.out).toContain(`drop ${shown}`);

    const config = entry.replace(/\.cjs$/, '.accumulation.json');
    const trained = await project.run(['train', config]);
    expect(trained.code).toBe(exitCodes.failed);
    expect(trained.err).not.toMatch(acting);
    // What the script itself prints is in the words of its author, but it steers no terminal.
    expect(trained.out).not.toMatch(/(?![\n\t])\p{Cc}/u);
    expect(trained.out).toContain(`Training ${shownEntry}`);
    expect(trained.err).toContain(`first line ${shown}\nsecond line`);

    const runs = await project.run(['runs']);
    expect(runs.out).not.toMatch(acting);
    expect(runs.out.trimEnd().split('\n')).toHaveLength(1);
    expect(runs.out).toContain(`first line ${shown}\\u000asecond line`);

    const nothing = await project.run(['follow', evil]);
    expect(nothing).toMatchObject({ code: exitCodes.usage, out: '' });
    expect(nothing.err).not.toMatch(acting);
    const missing = await project.run(['export', evil, '--to', evil]);
    expect(missing.code).toBe(exitCodes.usage);
    expect(missing.err).not.toMatch(acting);
  },
);
