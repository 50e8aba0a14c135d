// A digest of a batch, by which a resumed training knows that the script gives the same batches as the first time.
import type { Core, StepData, Tensor } from './innerModel';
import { readsSynchronously } from './trainingStep';

/** Most values of a tensor that are looked at. */
const mostValues = 1024;

/**
 * FNV-1a (Fowler, Noll, Vo; 32 bits) over the shape of each tensor and up to 1,024 of its values: all of a small
 * tensor's, else one from each of as many equal stretches, so that with 1,024 rows or fewer each row is looked at. Another
 * order of the rows, or other data, gives another digest; a change of single values of a large tensor may not.
 * Costs one gather and 4 KB to read for each tensor. A promise where values cannot be read at once (WebGPU).
 */
export function batchDigest(core: Core, data: StepData): number | Promise<number> {
  const shapes = JSON.stringify(data.map((tensor) => tensor?.shape ?? null));
  const samples = core.tidy(() =>
    data.flatMap((tensor) =>
      tensor === null || tensor.dtype === 'string' ? [] : [core.keep(sampleOf(core, tensor))],
    ),
  );
  const digest = (values: readonly ArrayLike<number>[]): number =>
    values.reduce((hash, part) => addValues(hash, part), addText(offsetBasis, shapes));
  if (readsSynchronously(core)) {
    const values = samples.map((sample) => sample.dataSync<'float32'>());
    core.dispose(samples);
    return digest(values);
  }
  return Promise.all(samples.map((sample) => sample.data<'float32'>()))
    .then(digest)
    .finally(() => core.dispose(samples));
}

function sampleOf(core: Core, tensor: Tensor): Tensor {
  const { size } = tensor;
  const flat = core.reshape(tensor, [size]);
  if (size <= mostValues) return flat;
  const stretch = size / mostValues;
  const positions = Int32Array.from({ length: mostValues }, (_, index) => {
    const start = Math.floor(index * stretch);
    const width = Math.floor((index + 1) * stretch) - start;
    // Knuth's multiplicative hash: another place in each stretch, always the same ones.
    return start + ((Math.imul(index, 0x9e3779b1) >>> 0) % width);
  });
  return core.gather(flat, core.tensor1d(positions, 'int32'));
}

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

function addText(hash: number, text: string): number {
  let sum = hash;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), prime);
  return sum >>> 0;
}

/** Values by their bits as 32-bit floats: what a tensor holds, whatever array it is read into. */
function addValues(hash: number, values: ArrayLike<number>): number {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  let sum = hash;
  for (const word of bits) {
    sum = Math.imul(sum ^ (word & 0xffff), prime);
    sum = Math.imul(sum ^ (word >>> 16), prime);
  }
  return sum >>> 0;
}
