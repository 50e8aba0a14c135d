// Saves models for tests as tfjs does, without the product's own saving.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';

/** Writes model.json and weights.bin into a new folder; `change` may alter the JSON. Returns the model.json. */
export async function saveAs(
  folder: string,
  model: tf.LayersModel,
  options: { includeOptimizer?: boolean; change?: (json: Record<string, unknown>) => void } = {},
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'model.json');
  const handler = tf.io.withSaveHandler((artifacts) => {
    const { modelTopology, weightSpecs, weightData, format, trainingConfig } = artifacts;
    const json: Record<string, unknown> = {
      format,
      modelTopology,
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
      ...(trainingConfig === undefined ? {} : { trainingConfig }),
    };
    options.change?.(json);
    writeFileSync(file, JSON.stringify(json));
    writeFileSync(path.join(folder, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
    return Promise.resolve({
      modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
    });
  });
  await model.save(handler, { includeOptimizer: options.includeOptimizer ?? false });
  return file;
}

/** All weights of a model, one after the other. */
export function weightsOf(model: tf.LayersModel): number[][] {
  return model.getWeights().map((weight) => Array.from(weight.dataSync()));
}
