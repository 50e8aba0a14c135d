// Where the real parts are that tests need and that a machine may lack; a missing one is told by name, never silently.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** A real part: its place, or the reason why it is not there. */
export type Lane =
  { readonly place: string; readonly missing?: never } | { readonly missing: string; readonly place?: never };

const root = path.resolve(import.meta.dirname, '../..');

/** Folder whose node_modules holds a working `@tensorflow/tfjs-node-gpu`, made by `batch-planner setup tensorflow`. */
export function tensorflowLane(): Lane {
  const place = process.env.BATCH_PLANNER_TEST_TENSORFLOW ?? path.join(root, 'test/.lanes/tensorflow');
  const native = path.join(place, 'node_modules/@tensorflow/tfjs-node-gpu/lib');
  return existsSync(native)
    ? { place }
    : {
        missing:
          process.env.BATCH_PLANNER_TEST_TENSORFLOW_MISSING ??
          'real TensorFlow was not set up (npm test does)',
      };
}

/** Path of SwiftShader's Vulkan driver file, which comes with Chromium. */
export function swiftshaderLane(): Lane {
  const candidates = [
    process.env.BATCH_PLANNER_TEST_SWIFTSHADER,
    '/usr/lib/chromium/vk_swiftshader_icd.json',
    '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
    '/opt/google/chrome/vk_swiftshader_icd.json',
  ];
  const place = candidates.find((candidate) => candidate !== undefined && existsSync(candidate));
  return place === undefined ? { missing: 'no Chromium with SwiftShader on this machine' } : { place };
}
