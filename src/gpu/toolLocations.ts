// Where each platform keeps nvidia-smi and its graphics devices: all that differs by platform in reading GPUs.
import path from 'node:path';
import type { ToolLocations } from './types';

/**
 * Locations for a platform. PATH comes first on Linux; on Windows the system folder does, because a program that
 * merely bears the name may lie in a folder on PATH.
 */
export function toolLocationsFor(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
): ToolLocations {
  if (platform === 'win32') {
    const windows = environment['SystemRoot'] ?? environment['windir'] ?? 'C:\\Windows';
    const programs = environment['ProgramFiles'] ?? 'C:\\Program Files';
    return {
      nvidiaSmi: [
        path.win32.join(windows, 'System32', 'nvidia-smi.exe'),
        path.win32.join(programs, 'NVIDIA Corporation', 'NVSMI', 'nvidia-smi.exe'),
        'nvidia-smi.exe',
      ],
      drm: null,
    };
  }
  if (platform === 'linux') {
    return {
      // WSL2 and some container hosts mount the driver's tools in folders that are not on PATH.
      nvidiaSmi: [
        'nvidia-smi',
        '/usr/bin/nvidia-smi',
        '/usr/lib/wsl/lib/nvidia-smi',
        '/usr/local/nvidia/bin/nvidia-smi',
      ],
      drm: '/sys/class/drm',
    };
  }
  return { nvidiaSmi: [], drm: null };
}
