// The GPU of a training: the one that was planned for, shown to TensorFlow as the only one.
import { readDevices } from '../../gpu/monitor';
import { chooseDevice, deviceEnvironment, findDevice, NoSuchDeviceError } from '../../gpu/select';
import type { DeviceReading } from '../../gpu/types';
import type { AccumulationConfig } from '../../planning/configSchema';

/** Variables for the training process, and what to tell where the planned GPU is not there. */
export interface TrainingDevice {
  readonly environment: Readonly<Record<string, string>>;
  readonly note: string | null;
}

/** TensorFlow takes the last GPU of several: it is shown the planned one, or the freest where none was planned. */
export async function deviceOfTraining(
  { backend, measured }: AccumulationConfig,
  environment: Readonly<NodeJS.ProcessEnv>,
  read: () => Promise<DeviceReading> = () => readDevices(),
): Promise<TrainingDevice> {
  const name = backend ?? measured?.backend.name;
  const none: TrainingDevice = { environment: {}, note: null };
  // Only CUDA is told which GPU to use; the others are not asked for, as asking takes time.
  if (name !== undefined && name !== 'tfjs-node-gpu') return none;
  const { gpus } = await read();
  const busId = measured?.device?.busId ?? null;
  let note: string | null = null;
  if (busId !== null) {
    try {
      return { environment: deviceEnvironment(findDevice(gpus, busId)), note };
    } catch (error) {
      if (!(error instanceof NoSuchDeviceError)) throw error;
      note = `The GPU that was planned for (${busId}) is not there: plan again, as the microbatch size may not fit another one.`;
    }
  }
  const chosen = chooseDevice(gpus, environment);
  return { environment: chosen === null ? {} : deviceEnvironment(chosen), note };
}
