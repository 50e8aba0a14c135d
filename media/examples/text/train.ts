// A plain TypeScript training script with `fitDataset`: tells the language of a word from its letters.
// It knows nothing of Batch Planner. Run it with `npx tsx train.ts`, or plan it and train it with accumulation.
import * as tf from '@tensorflow/tfjs';

const LENGTH = 12;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

/** Syllables that made-up words of each language are built from; no data file is needed. */
const languages: Record<string, string[]> = {
  italian: ['ra', 'zio', 'ne', 'lla', 'tto', 'che', 'pia', 'mo', 'sci', 'ggi', 'bo', 'ti'],
  german: ['sch', 'ung', 'keit', 'ein', 'ber', 'ge', 'stra', 'wa', 'zeug', 'ter', 'nach', 'auf'],
  japanese: ['ka', 'shi', 'tsu', 'mo', 'ne', 'ri', 'yu', 'ko', 'hi', 'sa', 'wa', 'ki'],
};
const names = Object.keys(languages);

interface Example {
  letters: number[];
  language: number;
}

/** A word of two to four syllables, as letter numbers from 1, padded with 0. */
function* words(count: number, seed: number): Generator<Example> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < count; i++) {
    const language = random(names.length);
    const syllables = languages[names[language]!]!;
    let word = '';
    for (let n = 2 + random(3); n > 0; n--) word += syllables[random(syllables.length)];
    const letters = [...word.slice(0, LENGTH)].map((letter) => ALPHABET.indexOf(letter) + 1);
    yield { letters: [...letters, ...Array<number>(LENGTH - letters.length).fill(0)], language };
  }
}

function dataset(count: number, seed: number, batchSize: number) {
  return tf.data
    .generator(() => words(count, seed))
    .map(({ letters, language }) => ({ xs: tf.tensor1d(letters), ys: tf.oneHot(language, names.length) }))
    .batch(batchSize)
    .prefetch(2);
}

const model = tf.sequential({ name: 'language' });
model.add(tf.layers.embedding({ inputDim: ALPHABET.length + 1, outputDim: 16, inputLength: LENGTH }));
model.add(tf.layers.lstm({ units: 32 }));
model.add(tf.layers.dense({ units: names.length, activation: 'softmax' }));
model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

await tf.ready();
await model.fitDataset(dataset(1500, 1, 50), {
  epochs: 4,
  validationData: dataset(300, 2, 50),
  verbose: 0,
  callbacks: tf.callbacks.earlyStopping({ monitor: 'val_loss', patience: 3 }),
});

const guess = model.predict(tf.tensor2d([...words(1, 3)].map((word) => word.letters))) as tf.Tensor;
console.log(`A new word looks ${names[(await guess.argMax(1).data())[0]!]}.`);
