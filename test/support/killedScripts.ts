// Scripts that are killed while they train: each has its own way to draw data, to shuffle and to remember between updates.
//
// All that they do follows from Math.random, their own seeds and what training tells their callbacks. Each leaves behind
// the bytes of its weights and optimizers, its History, and everything that its callbacks were told, in order.

/** What every script begins with. */
function opening(tensorflow: string): string {
  return `
const fs = require('node:fs');
const tf = require('${tensorflow}');
const told = [];
const listener = {
  onEpochBegin: (epoch) => { told.push(['epochBegin', epoch]); },
  onBatchBegin: (batch) => { told.push(['batchBegin', batch]); },
  onBatchEnd: (batch, logs) => { told.push(['batchEnd', batch, { ...logs }]); },
  onEpochEnd: (epoch, logs) => { told.push(['epochEnd', epoch, { ...logs }]); },
};
// Without a seed of their own, weights and data are drawn from Math.random.
const layer = (units, activation, more = {}) => tf.layers.dense({ units, activation, ...more });
const dropout = (rate, seed) => tf.layers.dropout({ rate, ...(seed === undefined ? {} : { seed }) });
const rows = (count, width) => tf.randomUniform([count, width], -1, 1);
const labels = (x) => tf.tidy(() => x.sum(1, true).greater(0).toFloat());
async function save(models, histories) {
  const parts = [];
  for (const model of models) {
    const slots = await model.optimizer.getWeights();
    for (const tensor of [...model.getWeights(), ...slots.map(({ tensor }) => tensor)]) {
      // A part at a time, as a script that saves a large model does: this, too, can be killed in between.
      await new Promise((resolve) => setTimeout(resolve, 3));
      parts.push(Buffer.from(Float32Array.from(tensor.dataSync()).buffer));
    }
  }
  const text = (values) => JSON.stringify(values, (_key, value) => (Number.isNaN(value) ? 'NaN' : value));
  fs.writeFileSync('told.json', text(told));
  fs.writeFileSync('history.json', text(histories.map(({ epoch, history }) => ({ epoch, history }))));
  fs.writeFileSync('weights.bin', Buffer.concat(parts));
}
`;
}

function script(tensorflow: string, body: string): string {
  return `${opening(tensorflow)}
async function main() {${body}}
main();
`;
}

/** Makes a script of one that trains for about so many updates. */
export type KilledScript = (tensorflow: string, updates: number) => string;

/** Adam, shuffling, validation, dropout with a seed and without one. Four updates an epoch, the last one smaller. */
const fit: KilledScript = (tensorflow, updates) =>
  script(
    tensorflow,
    `
  const x = rows(145, 8);
  const y = labels(x);
  const model = tf.sequential({ layers: [
    layer(16, 'relu', { inputShape: [8] }), dropout(0.2, 7), layer(12, 'tanh'), dropout(0.3), layer(1, 'sigmoid'),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const history = await model.fit(x, y, {
    epochs: ${Math.ceil(updates / 4)}, batchSize: 32, shuffle: true, validationSplit: 0.2, verbose: 0, callbacks: listener,
  });
  await save([model], [history]);
`,
  );

/** BatchNormalization; callbacks that remember: early stopping, and a learning rate that is lowered at plateaus. */
const callbacks: KilledScript = (tensorflow, updates) =>
  script(
    tensorflow,
    `
  const x = rows(130, 8);
  const y = labels(x);
  const model = tf.sequential({ layers: [
    layer(16, 'linear', { inputShape: [8] }), tf.layers.batchNormalization(), tf.layers.reLU(), dropout(0.4), layer(1, 'sigmoid'),
  ] });
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  let best = Infinity;
  let waited = 0;
  const slower = new tf.CustomCallback({ onEpochEnd: (epoch, logs) => {
    if (logs.val_loss < best) { best = logs.val_loss; waited = 0; }
    else if (++waited === 2) { model.optimizer.learningRate *= 0.7; waited = 0; told.push(['slower', model.optimizer.learningRate]); }
  } });
  const history = await model.fit(x, y, {
    epochs: ${Math.ceil(updates / 4)}, batchSize: 26, validationSplit: 0.2, verbose: 0,
    callbacks: [slower, tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: ${Math.ceil(updates / 12)} }), new tf.CustomCallback(listener)],
  });
  await save([model], [history]);
`,
  );

/** An endless data set with a seeded shuffle and noise from Math.random; its epochs end after some batches. */
const dataset: KilledScript = (tensorflow, updates) =>
  script(
    tensorflow,
    `
  const examples = Array.from({ length: 170 }, () => Array.from({ length: 8 }, () => Math.random() * 2 - 1));
  const data = (from, to, noise) => tf.data.array(examples.slice(from, to)).map((row) => ({
    xs: tf.tensor1d(row.map((value) => value + noise * (Math.random() - 0.5))),
    ys: tf.tensor1d([row.reduce((sum, value) => sum + value, 0) > 0 ? 1 : 0]),
  }));
  const model = tf.sequential({ layers: [
    layer(16, 'relu', { inputShape: [8] }), dropout(0.25), layer(1, 'sigmoid'),
  ] });
  model.compile({ optimizer: tf.train.rmsprop(0.01, 0.9, 0.5), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const history = await model.fitDataset(data(0, 140, 0.1).shuffle(60, 'a seed').repeat().batch(32), {
    epochs: ${Math.ceil(updates / 4)}, batchesPerEpoch: 4, verbose: 0, validationData: data(140, 170, 0).batch(16), callbacks: listener,
  });
  await save([model], [history]);
`,
  );

/** Two models in turn, a batch at a time, as adversarial training does it; the batches are drawn by Math.random. */
const turns: KilledScript = (tensorflow, updates) =>
  script(
    tensorflow,
    `
  const x = rows(140, 8);
  const y = labels(x);
  const model = (name, optimizer) => {
    const made = tf.sequential({ name, layers: [layer(12, 'relu', { inputShape: [8] }), dropout(0.2), layer(1, 'sigmoid')] });
    made.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    return made;
  };
  const first = model('first', tf.train.adam(0.01));
  const second = model('second', tf.train.momentum(0.05, 0.9));
  for (let step = 0; step < ${Math.ceil(updates / 2)}; step++) {
    for (const [which, one] of [first, second].entries()) {
      const chosen = tf.tensor1d(Array.from({ length: 32 }, () => Math.floor(Math.random() * 140)), 'int32');
      const [batch, target] = [x.gather(chosen), y.gather(chosen)];
      told.push([which, await one.trainOnBatch(batch, target)]);
      tf.dispose([chosen, batch, target]);
    }
  }
  await save([first, second], []);
`,
  );

/** Several calls of fit; between them data is drawn by Math.random, and the learning rate follows from the last loss. */
const calls: KilledScript = (tensorflow, updates) =>
  script(
    tensorflow,
    `
  const model = tf.sequential({ layers: [layer(16, 'relu', { inputShape: [8] }), dropout(0.2), layer(1, 'sigmoid')] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  const histories = [];
  for (let call = 0; call < 6; call++) {
    const x = rows(70 + Math.floor(Math.random() * 60), 8);
    const y = labels(x);
    const history = await model.fit(x, y, {
      epochs: ${Math.ceil(updates / 24)}, batchSize: 32, verbose: 0, validationSplit: 0.1, callbacks: listener,
    });
    histories.push(history);
    const [loss] = history.history.loss.slice(-1);
    model.optimizer.learningRate = 0.01 / (1 + loss);
    tf.dispose([x, y]);
  }
  await save([model], histories);
`,
  );

export const killedScripts = { fit, callbacks, dataset, turns, calls };
