// The order of the test files: those that take minutes come first, so that no core waits for one of them at the end.
import { BaseSequencer } from 'vitest/node';

/** Measured; the rest take less than two minutes each. */
const slow = [
  'matrixWebgpu',
  'trainKilledTensorflow',
  'exportPython',
  'trainLong',
  'trainKilled',
  'setup',
  'engineOutOfMemory',
  'outOfMemoryTraining',
  'backends',
  'pageRun',
];

/** @param {import('vitest/node').TestSpecification} file */
function placeOf({ moduleId }) {
  const index = slow.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return index === -1 ? slow.length : index;
}

export class SlowFirst extends BaseSequencer {
  /** @param {import('vitest/node').TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files);
    return sorted.sort((one, other) => placeOf(one) - placeOf(other));
  }
}
