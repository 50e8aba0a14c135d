// A plan as TensorFlow.js programs: a loop that accumulates by itself, and the same with the accumulate() helper.
import { describeCounts } from '../planning/describe';
import { microbatchCounts } from '../planning/microbatches';
import { shownLine } from '../planning/shownText';
import type { ExportedPlan, ExportForm } from './exportedPlan';
import { tfjsOptimizer } from './tfjsOptimizer';
import { perExample, perToken, type TfjsPieces } from './tfjsPieces';

/**
 * A program, runnable as it stands on made data: with a plain loop, or with `accumulate()`. With `--selftest` it prints how
 * far its gradient is from the full batch's, and ends with code 1 above 1e-6.
 */
export function tfjsProgram(plan: ExportedPlan, form: ExportForm, hasHelper: boolean): string {
  const pieces = form === 'counted' ? perToken : perExample;
  return program(plan, pieces, hasHelper ? withHelper(pieces) : plainLoop(pieces, form));
}

/** What differs between the two programs. */
interface Loop {
  readonly imports: string;
  readonly update: string;
  /** Lines that give `actual`, the gradients of the update, in the self test. */
  readonly actual: string;
}

function program(plan: ExportedPlan, pieces: TfjsPieces, loop: Loop): string {
  const equation = describeCounts(microbatchCounts(plan.targetBatchSize, plan.microbatchSize));
  return `// Gradient accumulation in TensorFlow.js, as planned for ${shownLine(plan.entry)}:
// ${equation}
// It runs as it stands on made data: put your model, loss and data in their place.
// With --selftest it prints how far its gradient is from the full batch's.
import * as tf from "@tensorflow/tfjs"; // or -node, or -node-gpu
${loop.imports}
const targetBatchSize = ${plan.targetBatchSize};
const microbatchSize = ${plan.microbatchSize}; // the most examples that go through the model at once

${pieces.model}
const optimizer = ${tfjsOptimizer(plan.optimizer)};

/** Examples from \`start\` on, of each tensor of a batch. */
function rowsOf(batch, start, size) {
  const slices = Object.entries(batch).map(([name, tensor]) => {
    const rest = tensor.shape.slice(1);
    const begin = [start, ...rest.map(() => 0)];
    return [name, tf.slice(tensor, begin, [size, ...rest])];
  });
  return Object.fromEntries(slices);
}

${loop.update}
${pieces.madeData}
async function train(data, epochs) {
  const examples = data.xs.shape[0];
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    for (let start = 0; start < examples; start += targetBatchSize) {
      // The last batch of an epoch is smaller, and weighs its own examples.
      const size = Math.min(targetBatchSize, examples - start);
      const batch = tf.tidy(() => rowsOf(data, start, size));
      const loss = update(batch);
      const [value] = await loss.data();
      console.log(\`epoch \${epoch}, \${size} examples: loss\`, value);
      tf.dispose([batch, loss]);
    }
  }
}

/** The largest difference from the full batch's gradient, relative to its largest element. */
async function differenceFromFullBatch(rows) {
  const batch = madeData(rows);
  const { value, grads } = tf.variableGrads(() => meanLoss(batch));
${loop.actual}
  let difference = 0;
  let largest = 0;
  for (const [index, gradient] of Object.values(grads).entries()) {
    const expected = await gradient.data();
    const values = await actual[index].data();
    for (let at = 0; at < expected.length; at += 1) {
      // A NaN stays one, so that it cannot pass.
      difference = Math.max(difference, Math.abs(values[at] - expected[at]));
      largest = Math.max(largest, Math.abs(expected[at]));
    }
  }
  tf.dispose([batch, value, grads, actual]);
  return difference / largest;
}

await tf.ready();
if (process.argv.includes("--selftest")) {
  // A whole batch, and a partial one as it comes last in an epoch.
  for (const rows of [targetBatchSize, Math.ceil(targetBatchSize * 0.6)]) {
    const difference = await differenceFromFullBatch(rows);
    console.log(\`\${rows} examples: relative difference\`, difference);
    if (!(difference <= 1e-6)) process.exitCode = 1;
  }
} else {
  const data = madeData(Math.ceil(targetBatchSize * 2.6));
  await train(data, 3);
  tf.dispose(data);
}
`;
}

function plainLoop(pieces: TfjsPieces, form: ExportForm): Loop {
  const sizes =
    form === 'equal'
      ? `/** Microbatches of one size; the last of a partial batch holds what is left. */
function sizesOf(rows) {
  const count = Math.ceil(rows / microbatchSize);
  return Array.from({ length: count }, (_, index) =>
    Math.min(microbatchSize, rows - index * microbatchSize),
  );
}
`
      : `/** The fewest microbatches, with sizes that differ by at most one. */
function sizesOf(rows) {
  const count = Math.ceil(rows / microbatchSize);
  return Array.from(
    { length: count },
    (_, index) => Math.floor(rows / count) + (index < rows % count ? 1 : 0),
  );
}
`;
  const count = pieces.countOption === '' ? '' : '  const count = tf.tidy(() => countOf(batch));\n';
  return {
    imports: '',
    update: `${sizes}
function addTo(sum, tensor) {
  const total = tf.keep(sum ? sum.add(tensor) : tensor.clone());
  sum?.dispose();
  return total;
}

/** Loss and gradients of a whole batch, from one microbatch after the other. */
function gradientsOf(batch) {
  const rows = batch.xs.shape[0];
${count}  const gradients = {};
  let loss;
  let start = 0;
  for (const size of sizesOf(rows)) {
    tf.tidy(() => {
      const part = rowsOf(batch, start, size);
${pieces.weight}      const { value, grads } = optimizer.computeGradients(() =>
        meanLoss(part).mul(weight),
      );
      loss = addTo(loss, value);
      for (const [name, gradient] of Object.entries(grads)) {
        gradients[name] = addTo(gradients[name], gradient);
      }
    });
    start += size;
  }
  return { loss, gradients };
}

/** One step of the optimizer for the whole batch. Returns the loss before it. */
function update(batch) {
  const { loss, gradients } = gradientsOf(batch);
  // Clip here, if at all: these are the whole batch's gradients.
  optimizer.applyGradients(gradients);
  tf.dispose(gradients);
  return loss;
}
`,
    actual: `  const { loss, gradients } = gradientsOf(batch);
  const actual = Object.keys(grads).map((name) => gradients[name]);
  loss.dispose();`,
  };
}

function withHelper(pieces: TfjsPieces): Loop {
  const weights =
    pieces.countOption === ''
      ? '    // Each microbatch weighs its share of the examples, whatever the sizes.\n'
      : pieces.countOption;
  return {
    imports: 'import { accumulate, microbatchSizes } from "batch-planner/accumulate";\n',
    update: `/**
 * One step of the optimizer for the whole batch. Returns the loss before it.
 * \`clip\`: { globalNorm: 1 }, { value: 0.5 }, or a function of the gradients.
 */
function update(batch, clip) {
  return accumulate(tf, {
    optimizer,
    batch,
    microbatchSizes: microbatchSizes(batch.xs.shape[0], microbatchSize),
    loss: meanLoss,
${weights}    clip,
  });
}
`,
    actual: `  let actual = [];
  const loss = update(batch, (gradients) => {
    actual = gradients.map((gradient) => tf.keep(gradient.clone()));
    return gradients;
  });
  loss.dispose();`,
  };
}
