// Views of the page as the extension would send them, with realistic plans made by hand.
import { splitBatch } from '../../src/planning/microbatches';
import { plan as planSchema, type Plan, type PlanTrial } from '../../src/planning/plan';
import type { PageView, PlanView } from '../../src/protocol/page';
import type { PlanFailure } from '../../src/protocol/planStream';
import type { Inspection } from '../../src/protocol/report';

export type PlannedView = Extract<PlanView, { state: 'planned' }>;
export type PlanningView = Extract<PlanView, { state: 'planning' }>;

/** A page of `train.js` that shows this plan and no run. */
export function pageViewOf(plan: PlanView, more: Partial<PageView> = {}): PageView {
  return {
    entryName: 'train.js',
    entryPath: 'examples/digits/train.js',
    isTrusted: true,
    plan,
    run: null,
    earlierRuns: [],
    comparedRun: null,
    ...more,
  };
}

const gib = 2 ** 30;
const mib = 2 ** 20;
const card = {
  name: 'NVIDIA GeForce RTX 3070',
  busId: '00000000:01:00.0',
  memoryTotalBytes: 8 * gib,
  memoryFreeBytes: Math.round(6.9 * gib),
};
/** 0.61 GB, 267 MB for each example. */
const line = {
  fixedBytes: Math.round(0.61 * gib),
  bytesPerExample: 267 * mib,
  optimizerPeakBytes: Math.round(0.9 * gib),
};

function fits(microbatch: number, msPerExample: number): PlanTrial {
  const gradientPeakBytes = line.fixedBytes + line.bytesPerExample * microbatch;
  return {
    microbatch,
    outcome: 'fits',
    peakBytes: Math.max(gradientPeakBytes, line.optimizerPeakBytes),
    gradientPeakBytes,
    stepMs: msPerExample * microbatch,
    applyMs: 38,
  };
}

function outOfMemory(microbatch: number): PlanTrial {
  return {
    microbatch,
    outcome: 'outOfMemory',
    peakBytes: null,
    gradientPeakBytes: null,
    stepMs: null,
    applyMs: null,
  };
}

/** 2,048 = 74 × 22 + 20 × 21 on a card of 8 GB: five trials, one of them out of memory. */
export const largePlan: Plan = planOf({});

/** A plan by the large one's pattern, its sizes made to follow from its target batch and largest microbatch. */
export function planOf(part: Partial<Plan>): Plan {
  const targetBatchSize = part.targetBatchSize ?? 2048;
  const largestMicrobatch = part.largestMicrobatch ?? 22;
  const microbatchSizes = splitBatch(
    targetBatchSize,
    Math.min(targetBatchSize, part.microbatchSize ?? largestMicrobatch),
  );
  return planSchema.parse({
    version: 1,
    entry: 'examples/digits/train.js',
    backend: {
      name: 'tfjs-node-gpu',
      version: '4.22.0',
      reason: 'The project’s own tfjs-node-gpu, which drives the GPU.',
    },
    device: card,
    examples: 50_000,
    objective: 'largest',
    proof: 'outOfMemory',
    budgetBytes: Math.round(6.5 * gib),
    memory: line,
    parts: {
      weightsBytes: 94 * mib,
      optimizerBytes: 188 * mib,
      accumulatorBytes: 94 * mib,
      dataBytes: 150 * mib,
      overheadBytes: 98 * mib,
    },
    trials: [fits(1, 30.1), fits(2, 21.4), fits(8, 14.7), fits(22, 13.2), outOfMemory(23)],
    model: { name: 'resnet50', parameters: 24_641_536, fingerprint: 'a1b2c3' },
    exactness: { rows: 8, relativeDifference: 6.1e-8 },
    warnings: [],
    ...part,
    targetBatchSize,
    largestMicrobatch,
    microbatchSize: microbatchSizes[0],
    microbatchSizes,
    accumulationSteps: microbatchSizes.length,
  } satisfies Record<keyof Plan, unknown>);
}

/** A view of a finished plan whose config says what the plan says. */
export function plannedViewOf(plan: Plan, more: Partial<PlannedView> = {}): PlannedView {
  return {
    state: 'planned',
    plan,
    plannedAt: '2026-11-24T09:30:00.000Z',
    configPath: '/work/examples/digits/train.accumulation.json',
    tfjsVersion: '4.22.0',
    targetBatchSize: plan.targetBatchSize,
    microbatchSize: plan.microbatchSize,
    outdated: null,
    needsData: false,
    ...more,
  };
}

/** A small CNN on the processor: all of it fits, nothing to accumulate. */
export const wholePlan = planOf({
  backend: {
    name: 'tfjs-node',
    version: '4.22.0',
    reason: 'The project’s own tfjs-node. Not tfjs-node-gpu: it is not installed in this project.',
  },
  device: null,
  targetBatchSize: 64,
  largestMicrobatch: 64,
  examples: 1797,
  proof: 'cap',
  budgetBytes: Math.round(11.2 * gib),
  memory: { fixedBytes: 58 * mib, bytesPerExample: 410 * 1024, optimizerPeakBytes: 61 * mib },
  parts: {
    weightsBytes: 900 * 1024,
    optimizerBytes: 1800 * 1024,
    accumulatorBytes: 900 * 1024,
    dataBytes: 3 * mib,
    overheadBytes: 51 * mib,
  },
  trials: [
    {
      microbatch: 1,
      outcome: 'fits',
      peakBytes: 61 * mib,
      gradientPeakBytes: 58 * mib,
      stepMs: 1.9,
      applyMs: 0.8,
    },
    {
      microbatch: 2,
      outcome: 'fits',
      peakBytes: 61 * mib,
      gradientPeakBytes: 59 * mib,
      stepMs: 2.2,
      applyMs: 0.8,
    },
    {
      microbatch: 64,
      outcome: 'fits',
      peakBytes: 84 * mib,
      gradientPeakBytes: 84 * mib,
      stepMs: 21.3,
      applyMs: 0.9,
    },
  ],
  model: { name: 'digits', parameters: 230_410, fingerprint: 'd4e5f6' },
});

/** Batch normalization in five layers, and dropout: close to the full batch, not equal to it. */
export const batchNormalizationPlan = planOf({
  exactness: null,
  warnings: [
    {
      code: 'batchStatistics',
      message:
        'Batch normalization uses the mean and variance of each microbatch, so the update is not exactly that of the ' +
        'full batch. Moving statistics are written as the full batch would. A larger microbatch comes closer; layer ' +
        'normalization does not depend on the batch.',
      layers: [1, 2, 3, 4, 5].map(
        (layer) => `a_rather_long_block_name_${layer}/batch_normalization_BatchNorm${layer}`,
      ),
    },
    {
      code: 'randomLayer',
      message:
        'Random layers draw new numbers for each microbatch: the update equals the full batch in distribution, not bit ' +
        'by bit.',
      layers: ['dropout_1'],
    },
    { code: 'note', message: 'There is validation data: its memory was measured too.', layers: [] },
  ],
});

/** Nothing told how much memory was in use: found by running out of it. */
export const memorylessPlan = planOf({
  backend: { name: 'webgpu', version: '0.6.2', reason: 'WebGPU on the adapter of this computer.' },
  device: { name: 'Intel Iris Xe', busId: null, memoryTotalBytes: null, memoryFreeBytes: null },
  budgetBytes: null,
  memory: null,
  parts: null,
  trials: [
    { microbatch: 1, outcome: 'fits', peakBytes: null, gradientPeakBytes: null, stepMs: 40, applyMs: null },
    { microbatch: 22, outcome: 'fits', peakBytes: null, gradientPeakBytes: null, stepMs: 310, applyMs: null },
    outOfMemory(23),
  ],
});

/** One trial only: a batch of one example. */
export const singleTrialPlan = planOf({
  targetBatchSize: 1,
  largestMicrobatch: 1,
  proof: 'cap',
  memory: null,
  trials: [fits(1, 30.1)],
});

/** A target of a million. */
export const millionPlan = planOf({ targetBatchSize: 1_000_000, examples: 60_000_000 });

export const inspectionOfLarge: Inspection = {
  method: 'fit',
  modelName: 'resnet50',
  parameters: 24_641_536,
  trainableParameters: 24_588_416,
  fingerprint: 'a1b2c3',
  optimizer: 'Adam',
  stockOptimizer: { name: 'adam', learningRate: 0.001 },
  layers: 175,
  inputShapes: [[null, 224, 224, 3]],
  scriptBatchSize: 2048,
  targetBatchSize: 2048,
  examples: 50_000,
  epochs: 90,
  hasValidation: true,
  passThrough: null,
  warnings: [],
};

/** Planning under way, with this many of the large plan's trials done. */
export function planningView(done: number, more: Partial<PlanningView> = {}): PlanningView {
  return {
    state: 'planning',
    startedAt: new Date().toISOString(),
    trying: largePlan.trials[done]?.microbatch ?? null,
    backend: {
      ...largePlan.backend,
      usesGpu: true,
      deviceName: card.name,
      passedOver: [],
    },
    inspection: inspectionOfLarge,
    budget: { device: card, budgetBytes: largePlan.budgetBytes, isBackendLimit: false },
    trials: largePlan.trials.slice(0, done).map((trial) => ({
      ...trial,
      message:
        trial.outcome === 'outOfMemory' ? 'OOM when allocating tensor with shape[23,64,112,112]' : null,
    })),
    isCancelling: false,
    ...more,
  };
}

export const failures: Readonly<Record<string, PlanFailure>> = {
  script: {
    kind: 'script',
    message:
      "The script failed before it trained: TypeError: Cannot read properties of undefined (reading 'xs')",
    file: '/work/examples/digits/with/a/very/long/path/that/does/not/end/where/one/expects/it/data.js',
    line: 42,
    remedy: null,
  },
  nothingFits: {
    kind: 'nothingFits',
    message: [
      'Not even one example fits. One example alone needs 9.4 GB; 6.5 GB may be used on NVIDIA GeForce RTX 3070.',
      'Largest parts: activations and temporaries of one example 7.9 GB, weights 820 MB, accumulated gradients 410 MB.',
      'What would help: smaller inputs (a shorter sequence, a smaller image) or narrower layers; a model with fewer weights.',
    ].join('\n'),
    file: null,
    line: null,
    remedy: null,
  },
  noBackend: {
    kind: 'noBackend',
    message:
      'TensorFlow.js is there, but its native library is not.\nSet it up in this project, which takes a minute.',
    file: null,
    line: null,
    remedy: 'setUpTensorflow',
  },
  cancelled: {
    kind: 'interrupted',
    message: 'Planning was cancelled.',
    file: null,
    line: null,
    remedy: null,
  },
};

export const badConfigView: PlanView = {
  state: 'badConfig',
  configPath: '/work/examples/digits/train.accumulation.json',
  problems: [
    { message: '"microbatchSize" is 0: write a whole number from 1 to 16,777,216.', line: 3, column: 21 },
    { message: '"entri" is not known here. Did you mean "entry"?', line: 7, column: 3 },
  ],
};

/** Every state of the plan's part by name, for checks that hold in all of them. */
export const planStates: Readonly<Record<string, PageView>> = {
  none: pageViewOf({ state: 'none' }),
  'not-trusted': pageViewOf({ state: 'none' }, { isTrusted: false }),
  'planning-starts': pageViewOf(
    planningView(0, { trying: null, backend: null, inspection: null, budget: null }),
  ),
  planning: pageViewOf(planningView(3)),
  planned: pageViewOf(plannedViewOf(largePlan)),
  whole: pageViewOf(plannedViewOf(wholePlan)),
  'batch-normalization': pageViewOf(plannedViewOf(batchNormalizationPlan), {
    entryName: 'train-a-model-with-quite-a-long-name-for-a-file.finetuned.v2.mjs',
  }),
  'no-memory-model': pageViewOf(plannedViewOf(memorylessPlan)),
  'one-trial': pageViewOf(plannedViewOf(singleTrialPlan)),
  million: pageViewOf(plannedViewOf(millionPlan)),
  outdated: pageViewOf(
    plannedViewOf(largePlan, {
      outdated: 'train.js changed after it was planned.',
      needsData: true,
      microbatchSize: 40,
    }),
  ),
  ...Object.fromEntries(
    Object.entries(failures).map(([name, failure]) => [
      `failed-${name}`,
      pageViewOf({ state: 'failed', failure }),
    ]),
  ),
  'bad-config': pageViewOf(badConfigView),
};
