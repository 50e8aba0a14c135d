// TensorFlow workers on this machine: a process each, which find each other by TF_CONFIG.
import { createServer, type AddressInfo } from 'node:net';
import { workersConfig } from '../../src/export/workersConfig';
import { runPython } from './python';

/** Runs the program in each worker of a cluster to its end; results in the order of the workers. */
export async function runWorkers(workers: number, args: readonly string[]) {
  const ports = await freePorts(workers);
  // As exported, on ports that are free now.
  const written = workersConfig({ ...anyPlan, worldSize: workers });
  const config = ports.reduce((text, port, index) => text.replace(`:${23_456 + index}`, `:${port}`), written);
  const ends = ports.map((_, index) =>
    runPython(args, { TF_CONFIG: config.replace('"index": 0', `"index": ${index}`) }),
  );
  return Promise.all(ends);
}
const anyPlan = { entry: 'train.js', targetBatchSize: 61, microbatchSize: 11 };

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listening() {
  const server = createServer();
  return new Promise<typeof server>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
