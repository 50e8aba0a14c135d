// Takes one reading after another: the drivers' figures each time, systeminformation's slower list now and then.
import { queryNvidia, type NvidiaAnswer } from './nvidiaQuery';
import { readAmdGpus, type AmdGpu } from './amdgpu';
import type { ControllerGpu } from './controllers';
import { dependsOnControllers, mergeReadings } from './mergeReadings';
import type { DeviceReading, GpuProblem, ReaderRequest, SystemMemoryReading } from './types';

/** Where readings come from; each is a real source by default or, in tests, a told one. */
export interface ReadingSources {
  /** systeminformation's GPUs. Slow (it starts up to eight tools) and without a time limit of its own. */
  readonly controllers: () => Promise<ControllerGpu[]>;
  readonly systemMemory: () => Promise<SystemMemoryReading>;
  readonly nvidia?: (programs: readonly string[], timeoutMs: number) => Promise<NvidiaAnswer>;
  readonly amd?: (drmFolder: string | null) => Promise<AmdGpu[]>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A GPU is seldom plugged in while the computer runs, but a laptop's dock, or a driver being loaded, does it. */
const controllersHoldForMs = 5 * 60_000;

/** Answers requests one at a time; keeps systeminformation's list between them. */
export class DeviceReader {
  private controllers: { gpus: ControllerGpu[]; problem: GpuProblem | null; at: number } | null = null;
  private lastSeen: string | null = null;
  private dependsOnControllers = false;

  constructor(private readonly sources: ReadingSources) {}

  /** Takes one reading. */
  async read(request: Pick<ReaderRequest, 'locations' | 'toolTimeoutMs'>): Promise<DeviceReading> {
    const { sources } = this;
    const now = sources.now ?? Date.now;
    const askNvidia = sources.nvidia ?? ((programs, timeoutMs) => queryNvidia({ programs, timeoutMs }));
    // They are independent, and nvidia-smi alone can take seconds: none waits for another.
    const controllers = this.controllersAreDue(now()) ? this.refreshControllers(now) : Promise.resolve();
    const [nvidia, amd, systemMemory] = await Promise.all([
      askNvidia(request.locations.nvidiaSmi, request.toolTimeoutMs),
      (sources.amd ?? readAmdGpus)(request.locations.drm),
      sources.systemMemory(),
    ]);
    // systeminformation calls the same nvidia-smi, without a limit: where it hangs, there is nothing to wait for.
    if (!nvidia.problems.some((problem) => problem.kind === 'timeout')) {
      await controllers;
      const seen = [...nvidia.gpus, ...amd].map((gpu) => gpu.busId).join();
      if (this.lastSeen !== null && seen !== this.lastSeen) await this.refreshControllers(now);
      this.lastSeen = seen;
    }

    const readAt = new Date(now()).toISOString();
    const gpus = mergeReadings({ controllers: this.controllers?.gpus ?? [], nvidia, amd }, readAt);
    this.dependsOnControllers = dependsOnControllers(gpus);
    const problem = this.controllers?.problem ?? null;
    return {
      gpus,
      systemMemory,
      problems: problem === null ? nvidia.problems : [...nvidia.problems, problem],
      readAt,
    };
  }

  private controllersAreDue(now: number): boolean {
    return (
      this.controllers === null ||
      this.dependsOnControllers ||
      now - this.controllers.at >= controllersHoldForMs
    );
  }

  private async refreshControllers(now: () => number): Promise<void> {
    // Without systeminformation the drivers' own figures are still good.
    const { gpus, problem } = await this.sources.controllers().then(
      (found) => ({ gpus: found, problem: null }),
      (error: unknown) => ({ gpus: [], problem: listFailed(error) }),
    );
    this.controllers = { gpus, problem, at: now() };
  }
}

function listFailed(error: unknown): GpuProblem {
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: 'toolFailed', message: `The list of graphics controllers could not be read: ${reason}` };
}
