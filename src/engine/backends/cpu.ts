// Starts the plain JavaScript backend: always there, and the slowest by far.
import { activate } from './activate';
import { origin } from './native';
import { synchronousDevice, type StartContext, type StartedBackend } from './types';

/**
 * On Node the backend prints, at its first use, an advertisement for tfjs-node; which backend runs and why is told
 * by this product instead.
 */
function silenceAdvice(backend: unknown): void {
  if (typeof backend === 'object' && backend !== null && 'firstUse' in backend) backend.firstUse = false;
}

/** @throws PassedOver where there is no TensorFlow.js at all */
export async function startCpu(context: StartContext): Promise<StartedBackend> {
  const { tf, core, version, found } = context.tensorflow();
  await activate(core, 'cpu');
  silenceAdvice(core.backend());
  return {
    ...synchronousDevice,
    tf,
    core,
    tfjsName: 'cpu',
    version,
    description: `${origin(found)} TensorFlow.js ${version} in plain JavaScript`,
    usesGpu: false,
    deviceName: null,
    warnings: [],
  };
}
