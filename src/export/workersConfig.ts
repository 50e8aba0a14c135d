// The TF_CONFIG by which TensorFlow's workers find each other: where all of them listen, and which one reads it.
import type { ExportedPlan } from './exportedPlan';

/** For workers on one machine, to try with; a cluster has its own hosts, and each worker its own index. */
export function workersConfig({ worldSize }: ExportedPlan): string {
  const firstPort = 23_456;
  const worker = Array.from({ length: worldSize }, (_, index) => `localhost:${firstPort + index}`);
  return `${JSON.stringify({ cluster: { worker }, task: { type: 'worker', index: 0 } }, null, 2)}\n`;
}
