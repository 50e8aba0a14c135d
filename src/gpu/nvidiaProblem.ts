// What nvidia-smi's own messages mean, in a sentence that says what to do.
import { linesOf } from './nvidiaText';
import type { GpuProblem } from './types';

/** True where nvidia-smi refuses a field that this driver does not know. */
export function refusesField(said: string): boolean {
  return /is not a valid field to query/i.test(said);
}

/** True where nvidia-smi works and there simply is no GPU. */
export function saysNoDevices(said: string): boolean {
  return /No devices were found/i.test(said);
}

/** Says what nvidia-smi's own message means; `said` is its stdout and stderr, `code` its exit code. */
export function problemOf(said: string, code: number | null): GpuProblem {
  const firstLine = linesOf(said)[0]?.slice(0, 300) ?? '';
  if (/Driver\/library version mismatch/i.test(said)) {
    const library = /NVML library version:\s*([\d.]+)/i.exec(said)?.[1];
    const version = library === undefined ? '' : ` (library ${library})`;
    return {
      kind: 'driverMismatch',
      message:
        `The NVIDIA driver was updated${version} while the old one is still loaded, so the GPU cannot be used: ` +
        'restart the computer (nvidia-smi: Driver/library version mismatch).',
    };
  }
  if (/couldn't communicate with the NVIDIA driver/i.test(said)) {
    return {
      kind: 'driverNotRunning',
      message:
        'nvidia-smi is installed, but the NVIDIA driver is not running: install or load the driver, then try again.',
    };
  }
  if (/Insufficient Permissions/i.test(said)) {
    return { kind: 'noPermission', message: permissionMessage };
  }
  if (/GPU is lost|Unable to determine the device handle|fallen off the bus/i.test(said)) {
    return {
      kind: 'gpuLost',
      message: `A GPU does not answer any more; restarting the computer usually brings it back (nvidia-smi: ${firstLine}).`,
    };
  }
  if (firstLine === '') {
    return { kind: 'toolFailed', message: `nvidia-smi said nothing (exit code ${code ?? 'none'}).` };
  }
  return code === 0
    ? {
        kind: 'unreadable',
        message: `nvidia-smi answered something that is not a list of GPUs: ${firstLine}`,
      }
    : { kind: 'toolFailed', message: `nvidia-smi failed (exit code ${code ?? 'none'}): ${firstLine}` };
}

/** Said where the driver keeps figures from this user. */
export const permissionMessage =
  'The NVIDIA driver keeps some figures from this user (nvidia-smi: Insufficient Permissions); they are shown as unknown.';
