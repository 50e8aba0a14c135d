// The hook under model.fit: takes over the training step of one copy of tfjs-layers, and nothing else of it.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FitObserver, HookSettings } from '../contracts';
import { factsOfFit, factsOfFitDataset, factsOfTrainOnBatch } from './callFacts';
import { CallRunner, type HookContext } from './callRunner';
import { CallState, type CallFacts } from './callState';
import { isCompiled, type Core, type InnerModel, type Layers, type StepFunction } from './innerModel';
import { Judgements } from './judgement';
import { createApplyGradients } from './optimizers/applyGradients';
import { prepareCall } from './prepareCall';
import { define, method } from './patch';
import { watchCallbacks } from './watchCallbacks';
import { runTestInSlices } from './testStep';

export { describeModel, type ModelDescription } from './describeModel';

const installed = new WeakSet<object>();

type MethodName = 'fit' | 'fitDataset' | 'trainOnBatch';
type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/**
 * Patches `LayersModel.prototype` of one copy of tfjs-layers so that each update of `fit`, `fitDataset` and
 * `trainOnBatch` is made of microbatches. Loops, callbacks, History, validation, shuffling and early stopping stay
 * tfjs' own. A second call for the same copy does nothing.
 * @param copy a copy of tfjs-layers with the tfjs-core that it computes with.
 */
export function installFitHook(
  { core, layers }: { core: Core; layers: Layers },
  settings: HookSettings,
  observer: FitObserver,
): void {
  if (installed.has(layers.LayersModel)) return;
  installed.add(layers.LayersModel);

  const prototype: object = layers.LayersModel.prototype;
  const makeTrain = method<() => StepFunction>(prototype, 'makeTrainFunction');
  const makeTest = method<() => void>(prototype, 'makeTestFunction');
  const names = new WeakMap<object, string>();
  const running = new AsyncLocalStorage<CallRunner>();

  /** The plain test step, without leaving it on the model. */
  const plainTest = (model: InnerModel): StepFunction => {
    const before = model.testFunction;
    makeTest.call(model);
    const plain = model.testFunction;
    model.testFunction = before;
    return plain;
  };
  const context: HookContext = {
    core,
    settings,
    observer,
    applyGradients: createApplyGradients(core),
    plainTrain: (model) => makeTrain.call(model),
    plainTest,
  };
  const judgements = new Judgements(core, layers, settings, observer, context.plainTrain);
  const accumulated = new WeakSet<object>();
  let calls = 0;

  const wrap = (name: MethodName): void => {
    const original = method<Method>(prototype, name);
    const replacement: Method = function (this: unknown, ...args) {
      // Not compiled, or already training: tfjs says so, as ever.
      if (
        typeof this !== 'object' ||
        this === null ||
        !isCompiled(this) ||
        (this.isTraining && name !== 'trainOnBatch')
      ) {
        return original.apply(this, args);
      }
      const target = settings.targetBatchSize;
      const facts = factsOf(core, name, this, names.get(this) ?? this.name, args, target);
      const call = new CallState(calls++, facts);
      const prepare = () => prepareCall({ core, judgements, observer, target }, call, args);
      const runner = new CallRunner(context, call, prepare);
      return runner
        .run((replaced) => running.run(runner, () => original.apply(this, [...replaced])))
        .finally(() => {
          if (runner.call.passThrough === null && isCompiled(this)) accumulated.add(this.lossFunctions);
        });
    };
    define(prototype, name, replacement);
  };
  wrap('fit');
  wrap('fitDataset');
  wrap('trainOnBatch');

  define(prototype, 'makeTrainFunction', function (this: InnerModel): StepFunction {
    const plain = makeTrain.call(this);
    const runner = running.getStore();
    return runner?.call.inner === this ? (data) => runner.step(plain, data) : plain;
  });

  define(prototype, 'makeTestFunction', function (this: InnerModel): void {
    makeTest.call(this);
    const plain = this.testFunction;
    const runner = running.getStore();
    this.testFunction = (data) => {
      if (runner?.call.inner === this) return runner.testStep(plain, data);
      return accumulated.has(this.lossFunctions)
        ? runTestInSlices(core, this, plain, data, settings.microbatchSize())
        : plain(data);
    };
  });

  // A Sequential trains an inner model of another name: remember the one that the user knows.
  const sequential: object = layers.Sequential.prototype;
  for (const name of ['fit', 'fitDataset', 'trainOnBatch'] as const) {
    const original = method<Method>(sequential, name);
    define(sequential, name, function (this: { model?: object; name: string }, ...args: unknown[]) {
      if (this.model !== undefined) names.set(this.model, this.name);
      return original.apply(this, args);
    } as Method);
  }

  watchCallbacks(layers.CallbackList.prototype, (callbacks) => {
    const runner = running.getStore();
    return runner !== undefined && callbacks.includes(runner.call.inner.history) ? runner : null;
  });
}

function factsOf(
  core: Core,
  method: MethodName,
  model: InnerModel,
  modelName: string,
  args: readonly unknown[],
  target: number | null,
): CallFacts {
  const [first, second, third] = args;
  if (method === 'fit') return factsOfFit(core, model, modelName, first, third, target);
  if (method === 'fitDataset') return factsOfFitDataset(model, modelName, first, second, target);
  return factsOfTrainOnBatch(core, model, modelName, first);
}
