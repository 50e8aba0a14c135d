// Counts the bytes that TensorFlow.js holds in tensors, each buffer once, by listening to its engine.

/** What the meter needs of tfjs's engine: private there, but plain properties in every version from 2.0 on. */
interface MeteredEngine {
  readonly state: { readonly tensorInfo: { get(dataId: object): { readonly bytes: number } | undefined } };
  trackTensor(tensor: { readonly dataId: object }, backend: unknown): void;
  removeDataId(dataId: object, backend: unknown): void;
}

/**
 * Unique bytes: tfjs's own `memory().numBytes` counts a buffer again for each clone, reshape or identity that shares
 * it (up to 3.2 times too much). This counts a buffer when its data id comes and when it goes.
 */
export class MemoryMeter {
  #live = 0;
  #peak = 0;
  #timeline: number[] | null = null;
  readonly #engines = new WeakSet<object>();

  /** Bytes in use now. */
  get liveBytes(): number {
    return this.#live;
  }

  /** Most bytes in use at once since the last `reset`. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Begins a new phase: the peak is what is in use now. */
  reset(): void {
    this.#peak = this.#live;
  }

  /** Notes the bytes in use after every change, from now until `endTimeline`. */
  beginTimeline(): void {
    this.#timeline = [this.#live];
  }

  /** What was noted since `beginTimeline`, in order. */
  endTimeline(): number[] {
    const timeline = this.#timeline ?? [];
    this.#timeline = null;
    return timeline;
  }

  /**
   * Listens to an engine. Several copies of tfjs share one global engine, so attaching again changes nothing.
   * Throws where the engine lacks the two methods: the version of tfjs is then too old or too new to be measured.
   */
  attach(core: { engine(): unknown }): void {
    const engine = core.engine();
    if (!isMetered(engine)) {
      throw new Error(
        'This version of TensorFlow.js keeps its tensors in another way than versions 2 to 4 do: memory cannot be measured.',
      );
    }
    if (this.#engines.has(engine)) return;
    this.#engines.add(engine);
    const { trackTensor, removeDataId } = engine;
    const bytesOf = (dataId: object) => engine.state.tensorInfo.get(dataId)?.bytes ?? 0;
    engine.trackTensor = (tensor, backend) => {
      const known = engine.state.tensorInfo.get(tensor.dataId) !== undefined;
      trackTensor.call(engine, tensor, backend);
      if (!known) this.#add(bytesOf(tensor.dataId));
    };
    engine.removeDataId = (dataId, backend) => {
      const bytes = bytesOf(dataId);
      removeDataId.call(engine, dataId, backend);
      this.#add(-bytes);
    };
  }

  #add(bytes: number): void {
    this.#live += bytes;
    if (this.#live > this.#peak) this.#peak = this.#live;
    this.#timeline?.push(this.#live);
  }
}

/** Guards the line that meets tfjs's untyped engine. */
function isMetered(engine: unknown): engine is MeteredEngine {
  const candidate = engine as Partial<MeteredEngine> | null;
  return (
    typeof candidate?.trackTensor === 'function' &&
    typeof candidate.removeDataId === 'function' &&
    typeof candidate.state?.tensorInfo?.get === 'function'
  );
}
