// What of a model has to be saved, and how it is put back: its weights, its optimizer's slots and settings.
// The optimizer is read field by field, not through getWeights(): that one is missing for Adamax, leaves out the
// learning rate, and recomputes Adam's running products, which would not give the same bits again.
import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { LayersModel, Tf } from '../contracts';
import { layersOf } from '../fitHook/layersOf';
import type { HostTensor } from './tensorFile';

/** A tensor of the model or its optimizer under the name it has in a checkpoint. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The script's model is not the one that the checkpoint was taken of. */
export class CheckpointMismatchError extends Error {
  override readonly name = 'CheckpointMismatchError';
}

/** Fields that tfjs keeps private but that every version has: a weight's own variable, and when it was made. */
interface WeightFields {
  readonly id: number;
  readonly originalName: string;
  readonly val: Variable;
}

/** A slot of a stock optimizer: one of an array, in the order of the trainable weights. */
interface Slot {
  readonly originalName: string;
  readonly variable: Variable;
}

/**
 * The weights in the order in which they were made: `model.weights` changes its order with the layers' `trainable`
 * flags, which a script may switch between two calls.
 */
export function modelWeights(model: LayersModel): readonly WeightFields[] {
  const weights = model.weights as unknown as readonly WeightFields[];
  return [...new Set(weights)].sort((a, b) => a.id - b.id);
}

/** All tensors of a model's training state, by their name in a checkpoint. They are the model's own: not to be disposed. */
export function stateTensors(model: LayersModel): NamedTensor[] {
  const tensors = modelWeights(model).map((weight, i) => ({
    name: weightName(i, weight),
    tensor: weight.val as Tensor,
  }));
  for (const [field, value] of optimizerFields(model)) {
    if (isTensor(value)) tensors.push({ name: `optimizer/${field}`, tensor: value });
    else if (isSlots(value)) {
      value.forEach((slot, i) => {
        if (slot) tensors.push({ name: slotName(field, i, slot), tensor: slot.variable });
      });
    }
  }
  for (const [i, { states }] of recurrentLayers(model).entries()) {
    states.forEach((tensor, k) => tensors.push({ name: `state/${i}/${k}`, tensor }));
  }
  return tensors;
}

/** Numbers of the optimizer (learning rate, iteration count and so on) by field, for the file's metadata. */
export function optimizerNumbers(model: LayersModel): Record<string, number> {
  const numbers = optimizerFields(model).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(numbers) as Record<string, number>;
}

/** Class of the optimizer: its slots fit no other. */
export function optimizerClass(model: LayersModel): string {
  return optimizerOf(model)?.getClassName() ?? 'none';
}

/**
 * Puts a saved state into a model. The optimizer's part is left alone where its class is another one (the script
 * compiles anew between two calls, and this is the earlier one).
 * @throws CheckpointMismatchError where a weight is missing or has another shape; nothing was changed then
 */
export function restoreState(tf: Tf, model: LayersModel, saved: SavedState): void {
  restoreWeights(tf, model, saved);
  const byName = new Map(saved.tensors.map((tensor) => [tensor.name, tensor]));
  if (optimizerClass(model) === saved.optimizer) restoreOptimizer(tf, model, byName, saved.numbers);
  restoreRecurrentStates(tf, model, byName);
}

/** As a checkpoint holds it. */
export interface SavedState {
  readonly tensors: readonly HostTensor[];
  readonly optimizer: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/**
 * Puts saved weights into a model, and nothing else.
 * @throws CheckpointMismatchError where a weight is missing or has another shape; nothing was changed then
 */
export function restoreWeights(tf: Tf, model: LayersModel, saved: SavedState): void {
  const byName = new Map(saved.tensors.map((tensor) => [tensor.name, tensor]));
  const weights = modelWeights(model);
  const found = weights.map((weight, i) => matching(byName, weightName(i, weight), weight.val));
  const savedWeights = saved.tensors.filter(({ name }) => name.startsWith('weight/')).length;
  if (savedWeights !== weights.length) {
    throw new CheckpointMismatchError(
      `the checkpoint has ${savedWeights} weights, the script's model has ${weights.length}`,
    );
  }
  weights.forEach((weight, i) => assign(tf, weight.val, found[i] as HostTensor));
}

/** A recurrent layer that keeps its state from batch to batch. */
interface RecurrentLayer {
  readonly stateful: boolean;
  readonly states_: readonly Tensor[] | null;
  resetStates(states?: readonly Tensor[]): void;
}

/** The stateful recurrent layers of a model in order, each with its states: none before its first batch. */
function recurrentLayers(
  model: LayersModel,
): { readonly layer: RecurrentLayer; readonly states: readonly Tensor[] }[] {
  return layersOf(model).flatMap((candidate) => {
    const layer = candidate as unknown as Partial<RecurrentLayer>;
    // A model is a layer, too, and tells that one of its own is stateful.
    if (layer.stateful !== true || !('states_' in layer) || layer.resetStates === undefined) return [];
    return [{ layer: layer as RecurrentLayer, states: layer.states_ ?? [] }];
  });
}

function restoreRecurrentStates(tf: Tf, model: LayersModel, byName: ReadonlyMap<string, HostTensor>): void {
  for (const [i, { layer }] of recurrentLayers(model).entries()) {
    const prefix = `state/${i}/`;
    const saved = [...byName].filter(([name]) => name.startsWith(prefix));
    tf.tidy(() => {
      // The first call makes states where there are none: only then can others be put in their place.
      layer.resetStates();
      if (saved.length > 0) layer.resetStates(saved.map(([, tensor]) => toTensor(tf, tensor)));
    });
  }
}

function restoreOptimizer(
  tf: Tf,
  model: LayersModel,
  byName: ReadonlyMap<string, HostTensor>,
  numbers: Readonly<Record<string, number>>,
): void {
  const optimizer = optimizerOf(model) as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(numbers)) optimizer[field] = value;
  for (const [field, value] of optimizerFields(model)) {
    if (isTensor(value)) {
      const saved = byName.get(`optimizer/${field}`);
      if (saved) optimizer[field] = replace(tf, value, saved);
    } else if (Array.isArray(value) && isSlots(value)) {
      for (const slot of value) slot?.variable.dispose();
      optimizer[field] = restoredSlots(tf, `optimizer/${field}/`, byName);
    }
  }
}

function restoredSlots(tf: Tf, prefix: string, byName: ReadonlyMap<string, HostTensor>): Slot[] {
  const slots: Slot[] = [];
  for (const [name, saved] of byName) {
    if (!name.startsWith(prefix)) continue;
    const [index, ...rest] = name.slice(prefix.length).split('/');
    const variable = tf.tidy(() => tf.variable(toTensor(tf, saved), false));
    slots[Number(index)] = { originalName: rest.join('/'), variable };
  }
  return slots;
}

/** A variable takes the values in place; a constant that the optimizer keeps (SGD's rate) is made anew. */
function replace(tf: Tf, current: Tensor, saved: HostTensor): Tensor {
  if ('assign' in current) {
    assign(tf, current as Variable, saved);
    return current;
  }
  current.dispose();
  return tf.keep(toTensor(tf, saved));
}

function assign(tf: Tf, variable: Variable, saved: HostTensor): void {
  tf.tidy(() => variable.assign(toTensor(tf, saved)));
}

function toTensor(tf: Tf, { values, shape, dtype }: HostTensor): Tensor {
  return tf.tensor(values, [...shape], dtype);
}

function matching(byName: ReadonlyMap<string, HostTensor>, name: string, current: Tensor): HostTensor {
  const saved = byName.get(name);
  if (!saved) throw new CheckpointMismatchError(`the checkpoint has no weight "${name}"`);
  if (saved.dtype !== current.dtype || saved.shape.join() !== current.shape.join()) {
    throw new CheckpointMismatchError(
      `weight "${name}" is ${saved.dtype} [${saved.shape.join(', ')}] in the checkpoint and ` +
        `${current.dtype} [${current.shape.join(', ')}] in the script's model`,
    );
  }
  return saved;
}

/** Names that tfjs makes unique (`dense_Dense3/kernel`) depend on what else was built: the index is what counts. */
function weightName(index: number, weight: WeightFields): string {
  return `weight/${index}/${weight.originalName.split('/').at(-1) ?? ''}`;
}

function slotName(field: string, index: number, slot: Slot): string {
  return `optimizer/${field}/${index}/${slot.originalName}`;
}

function optimizerOf(model: LayersModel): LayersModel['optimizer'] | undefined {
  return model.optimizer as LayersModel['optimizer'] | undefined;
}

function optimizerFields(model: LayersModel): [string, unknown][] {
  const optimizer = optimizerOf(model);
  return optimizer ? Object.entries(optimizer) : [];
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value;
}

function isSlots(value: unknown): value is (Slot | undefined)[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (slot) => slot === undefined || slot === null || isTensor((slot as Partial<Slot>).variable),
  );
}
