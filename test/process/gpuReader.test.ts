// The GPU reader as a real child process, with fake tools in place of the hardware that is not there.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDevices } from '../../src/gpu/monitor';
import { fakesCannotRun, h100, h100OnTheBus, lspciEntry, stillRunning } from '../support/fakeGpuTools';
import { useGpuReader } from '../support/gpuReaderTests';

const MiB = 1024 * 1024;
const reader = useGpuReader();

describe.skipIf(fakesCannotRun !== null)(`GPU reader (${fakesCannotRun ?? 'with fake tools'})`, () => {
  test('an idle H100 is read whole, its zero used bytes as zero', async () => {
    reader.tools.nvidiaSmi({ gpus: [h100] });
    reader.tools.lspci([h100OnTheBus]);
    const reading = await readDevices(reader.options());
    expect(reading.problems).toEqual([]);
    expect(reading.gpus).toEqual([
      {
        name: 'NVIDIA H100 80GB HBM3',
        vendor: 'nvidia',
        busId: '0000:17:00.0',
        uuid: h100['uuid'],
        index: 0,
        memoryTotalBytes: 81559 * MiB,
        memoryUsedBytes: 0,
        memoryFreeBytes: 81079 * MiB,
        memoryReservedBytes: 480 * MiB,
        utilisationPercent: 0,
        driver: '580.159.04',
        mig: { enabled: false, instances: [] },
        source: 'nvidia-smi',
        readAt: reading.readAt,
      },
    ]);
    expect(reading.systemMemory.totalBytes).toBeGreaterThan(0);
    expect(await stillRunning(reader.tools.startedPids())).toEqual([]);
  });

  test('a management chip and other GPUs stand beside: the chip is no GPU, the others have no made-up memory', async () => {
    reader.tools.nvidiaSmi({ gpus: [h100] });
    reader.tools.lspci([
      lspciEntry(
        '03:00.0',
        'VGA compatible controller: ASPEED Technology, Inc. ASPEED Graphics Family (rev 52)',
        '16M',
      ),
      lspciEntry('00:02.0', 'VGA compatible controller: Intel Corporation UHD Graphics 630 (rev 02)', '256M'),
      h100OnTheBus,
    ]);
    const { gpus } = await readDevices(reader.options());
    expect(gpus.map(({ name, vendor, memoryTotalBytes }) => ({ name, vendor, memoryTotalBytes }))).toEqual([
      { name: 'NVIDIA H100 80GB HBM3', vendor: 'nvidia', memoryTotalBytes: 81559 * MiB },
      { name: 'Intel UHD Graphics 630', vendor: 'intel', memoryTotalBytes: null },
    ]);
  });

  test('equal cards, and cards in several PCI domains, are told apart by bus id', async () => {
    const card = (index: number, busId: string, used: number): Record<string, string> => ({
      ...h100,
      index: String(index),
      'pci.bus_id': busId,
      uuid: `GPU-${index}`,
      'memory.used': String(used),
    });
    reader.tools.nvidiaSmi({
      gpus: [card(0, '00000000:17:00.0', 5), card(1, '00000001:00:00.0', 6), card(2, '00010000:00:00.0', 7)],
    });
    reader.tools.lspci([
      lspciEntry('0000:17:00.0', '3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)'),
      lspciEntry('0001:00:00.0', '3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)'),
      lspciEntry('10000:00:00.0', '3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)'),
    ]);
    const { gpus } = await readDevices(reader.options());
    expect(gpus.map((gpu) => [gpu.busId, (gpu.memoryUsedBytes ?? -1) / MiB])).toEqual([
      ['0000:17:00.0', 5],
      ['0001:00:00.0', 6],
      ['10000:00:00.0', 7],
    ]);
  });

  test('with MIG on, each instance is told with its UUID and its own memory', async () => {
    const instance = (index: number, total: number, used: number): string =>
      `<mig_device><index>${index}</index><gpu_instance_id>${index + 7}</gpu_instance_id>
       <fb_memory_usage><total>${total} MiB</total><reserved>0 MiB</reserved><used>${used} MiB</used>
       <free>${total - used} MiB</free></fb_memory_usage>
       <bar1_memory_usage><total>16383 MiB</total><used>0 MiB</used><free>16383 MiB</free></bar1_memory_usage></mig_device>`;
    reader.tools.nvidiaSmi({
      gpus: [
        {
          ...h100,
          'mig.mode.current': 'Enabled',
          'memory.used': '[Insufficient Permissions]',
          'utilization.gpu': '[N/A]',
        },
      ],
      list: [
        `GPU 0: NVIDIA H100 80GB HBM3 (UUID: ${h100['uuid']})`,
        '  MIG 3g.40gb     Device  0: (UUID: MIG-11111111-2222-3333-4444-555555555555)',
        '  MIG 1g.10gb     Device  1: (UUID: MIG-66666666-7777-8888-9999-000000000000)',
      ].join('\n'),
      xml: `<nvidia_smi_log><gpu id="00000000:17:00.0"><fb_memory_usage><total>81559 MiB</total></fb_memory_usage>
        <mig_devices>${instance(0, 40448, 298)}${instance(1, 9856, 0)}</mig_devices></gpu></nvidia_smi_log>`,
    });
    reader.tools.lspci([h100OnTheBus]);
    const { gpus, problems } = await readDevices(reader.options());
    expect(gpus[0]?.memoryUsedBytes).toBeNull();
    expect(gpus[0]?.utilisationPercent).toBeNull();
    expect(gpus[0]?.mig).toEqual({
      enabled: true,
      instances: [
        {
          name: '3g.40gb',
          uuid: 'MIG-11111111-2222-3333-4444-555555555555',
          memoryTotalBytes: 40448 * MiB,
          memoryUsedBytes: 298 * MiB,
          memoryFreeBytes: 40150 * MiB,
        },
        {
          name: '1g.10gb',
          uuid: 'MIG-66666666-7777-8888-9999-000000000000',
          memoryTotalBytes: 9856 * MiB,
          memoryUsedBytes: 0,
          memoryFreeBytes: 9856 * MiB,
        },
      ],
    });
    expect(problems.map((problem) => problem.kind)).toEqual(['noPermission']);
  });

  test('a driver that was updated but not reloaded is told as such, and the card still shows', async () => {
    reader.tools.nvidiaSmi({
      message: 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.159',
      exitCode: 18,
    });
    reader.tools.lspci([h100OnTheBus]);
    const { gpus, problems } = await readDevices(reader.options());
    expect(problems).toHaveLength(1);
    expect(problems[0]?.kind).toBe('driverMismatch');
    expect(problems[0]?.message).toMatch(/restart the computer/);
    expect(gpus.map((gpu) => [gpu.name, gpu.memoryTotalBytes])).toEqual([
      ['NVIDIA GH100 [H100 SXM5 80GB]', null],
    ]);
  });

  test('an old driver that refuses newer fields is asked for fewer', async () => {
    const newer = ['mig.mode.current', 'memory.reserved'];
    const old = Object.fromEntries(Object.entries(h100).filter(([field]) => !newer.includes(field)));
    reader.tools.nvidiaSmi({ gpus: [{ ...old, name: 'Tesla K80', driver_version: '418.226.00' }] });
    const { gpus, problems } = await readDevices(reader.options());
    expect(problems).toEqual([]);
    expect(gpus[0]).toMatchObject({
      name: 'Tesla K80',
      mig: null,
      memoryReservedBytes: null,
      memoryUsedBytes: 0,
    });
  });

  test.each([
    ['text', 'Segmentation fault (core dumped)\n%&$§ ,,, \u0000', 0],
    ['commas', ', , , , , , , , , , , ,', 0],
    ['nothing', '', 0],
    ['nothing, and a failure', '', 255],
  ])('an nvidia-smi that prints rubbish (%s) gives no GPU and says so', async (_name, message, exitCode) => {
    reader.tools.nvidiaSmi({ message, exitCode });
    const { gpus, problems } = await readDevices(reader.options());
    expect(gpus).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(['unreadable', 'toolFailed']).toContain(problems[0]?.kind);
  });

  test('without lspci, and with nvidia-smi off PATH as in WSL2, the GPU is read', async () => {
    const place = reader.tools.nvidiaSmi(
      { gpus: [{ ...h100, name: 'NVIDIA GeForce RTX 3070' }] },
      'wsl/lib/nvidia-smi',
    );
    const { gpus, problems } = await readDevices(
      reader.options({ locations: { nvidiaSmi: ['nvidia-smi', place], drm: null } }),
    );
    expect(problems).toEqual([]);
    expect(gpus.map((gpu) => [gpu.name, gpu.memoryTotalBytes])).toEqual([
      ['NVIDIA GeForce RTX 3070', 81559 * MiB],
    ]);
  });

  test("where the first nvidia-smi belongs to another driver (a distribution's own in WSL2), the next one is asked", async () => {
    reader.tools.nvidiaSmi({
      message:
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
    });
    const place = reader.tools.nvidiaSmi({ gpus: [h100] }, 'wsl/nvidia-smi');
    reader.tools.lspci([
      lspciEntry('a7a5:00:00.0', '3D controller: Microsoft Corporation Device 008e', '256M'),
    ]);
    const { gpus, problems } = await readDevices(
      reader.options({ locations: { nvidiaSmi: ['nvidia-smi', place], drm: null } }),
    );
    expect(problems).toEqual([]);
    expect(gpus.map((gpu) => gpu.name)).toEqual(['NVIDIA H100 80GB HBM3']);
  });

  test('on a machine without any of the tools there is no GPU and no problem', async () => {
    const { gpus, problems, systemMemory } = await readDevices(reader.options());
    expect({ gpus, problems }).toEqual({ gpus: [], problems: [] });
    expect(systemMemory.usedBytes + systemMemory.availableBytes).toBe(systemMemory.totalBytes);
  });

  test('a GPU that vanishes between two readings is gone, or without figures while it is still on the bus', async () => {
    const other = { ...h100, index: '1', uuid: 'GPU-other', 'pci.bus_id': '00000000:3B:00.0' };
    const otherOnTheBus = lspciEntry(
      '3b:00.0',
      '3D controller: NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev ff)',
    );
    reader.tools.nvidiaSmi({ gpus: [h100, other] });
    reader.tools.lspci([h100OnTheBus, otherOnTheBus]);
    const monitor = reader.monitorOf();
    expect((await monitor.read()).gpus).toHaveLength(2);

    reader.tools.nvidiaSmi({ gpus: [h100] });
    const onTheBus = (await monitor.read()).gpus;
    expect(onTheBus.map((gpu) => [gpu.busId, gpu.memoryUsedBytes])).toEqual([
      ['0000:17:00.0', 0],
      ['0000:3b:00.0', null],
    ]);

    reader.tools.lspci([h100OnTheBus]);
    reader.tools.nvidiaSmi({ message: 'No devices were found', exitCode: 6 });
    const without = await monitor.read();
    expect(without.problems).toEqual([]);
    expect(without.gpus.map((gpu) => [gpu.busId, gpu.memoryUsedBytes])).toEqual([['0000:17:00.0', null]]);
  });

  test('a lost GPU is told while the others are read', async () => {
    reader.tools.nvidiaSmi({ gpus: [h100] });
    const script = reader.tools.nvidiaSmi({ gpus: [h100] }, 'inner');
    writeFileSync(
      path.join(reader.tools.folder, 'nvidia-smi'),
      `#!/bin/sh\necho "Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.  Reboot the system to recover this GPU"\n'${script}' "$@"\nexit 15\n`,
    );
    const { gpus, problems } = await readDevices(reader.options());
    expect(gpus).toHaveLength(1);
    expect(problems.map((problem) => problem.kind)).toEqual(['gpuLost']);
  });

  test("an AMD card's memory comes from its driver's files", async () => {
    const device = path.join(reader.tools.folder, 'drm/card1/device');
    mkdirSync(device, { recursive: true });
    mkdirSync(path.join(reader.tools.folder, 'drm/card1-DP-1'), { recursive: true });
    const files = {
      vendor: '0x1002',
      mem_info_vram_total: '25753026560',
      mem_info_vram_used: '0',
      gpu_busy_percent: '3',
      uevent: 'DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_SLOT_NAME=0000:0c:00.0\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(device, name), `${text}\n`);
    reader.tools.lspci([
      lspciEntry(
        '0c:00.0',
        'VGA compatible controller: Advanced Micro Devices, Inc. [AMD/ATI] Navi 31 [Radeon RX 7900 XTX] (rev c8)',
        '32G',
      ),
    ]);
    const locations = { nvidiaSmi: ['nvidia-smi'], drm: path.join(reader.tools.folder, 'drm') };
    const { gpus } = await readDevices(reader.options({ locations }));
    expect(gpus).toHaveLength(1);
    expect(gpus[0]).toMatchObject({
      vendor: 'amd',
      name: 'AMD Navi 31 [Radeon RX 7900 XTX]',
      busId: '0000:0c:00.0',
      memoryTotalBytes: 25753026560,
      memoryUsedBytes: 0,
      memoryFreeBytes: 25753026560,
      source: 'amdgpu',
    });
  });
});
