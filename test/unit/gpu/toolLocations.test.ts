import { expect, test } from 'vitest';
import { toolLocationsFor } from '../../../src/gpu/toolLocations';

test('Linux looks on PATH first, then where WSL2 and container hosts mount the driver', () => {
  const { nvidiaSmi, drm } = toolLocationsFor('linux', {});
  expect(nvidiaSmi[0]).toBe('nvidia-smi');
  expect(nvidiaSmi).toContain('/usr/lib/wsl/lib/nvidia-smi');
  expect(drm).toBe('/sys/class/drm');
});

test('Windows looks in its system folder before PATH', () => {
  const { nvidiaSmi, drm } = toolLocationsFor('win32', {
    SystemRoot: 'D:\\Windows',
    ProgramFiles: 'D:\\Programs',
  });
  expect(nvidiaSmi).toEqual([
    'D:\\Windows\\System32\\nvidia-smi.exe',
    'D:\\Programs\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe',
    'nvidia-smi.exe',
  ]);
  expect(drm).toBeNull();
});

test('macOS has neither', () => {
  expect(toolLocationsFor('darwin', {})).toEqual({ nvidiaSmi: [], drm: null });
});
