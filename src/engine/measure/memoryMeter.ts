// Counts the bytes that TensorFlow.js holds in tensors, each buffer once, by listening to its engine.

/** What the meter needs of tfjs's engine: private there, but plain properties in every version from 2.0 on. */
interface MeteredEngine {
  readonly state: { readonly tensorInfo: { get(dataId: object): { readonly bytes: number } | undefined } };
  trackTensor(tensor: { readonly dataId: object }, backend: unknown): void;
  removeDataId(dataId: object, backend: unknown): void;
}

/** What the meter needs of tfjs-node's backend. */
interface NativeBackend {
  executeSingleOutput(
    operation: string,
    attributes: unknown,
    inputs: readonly { readonly dataId: object }[],
  ): unknown;
}

/** Operations of TensorFlow whose result is another view of their first input's buffer. */
const views: ReadonlySet<string> = new Set(['Reshape', 'ExpandDims']);

/** A buffer, and how many data ids share it. */
interface SharedBuffer {
  readonly bytes: number;
  users: number;
}

/**
 * Unique bytes: tfjs's own `memory().numBytes` counts a buffer again for each clone, reshape or identity that shares
 * it (up to 3.2 times too much). This counts a buffer when its data id comes and when it goes.
 */
export class MemoryMeter {
  #live = 0;
  #peak = 0;
  #timeline: number[] | null = null;
  readonly #buffers = new WeakMap<object, SharedBuffer>();
  /** The data whose buffer the next new data shares; null: it has one of its own. */
  #viewed: object | null = null;
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
      if (!known) this.#take(tensor.dataId, bytesOf(tensor.dataId));
    };
    engine.removeDataId = (dataId, backend) => {
      const bytes = bytesOf(dataId);
      removeDataId.call(engine, dataId, backend);
      this.#free(dataId, bytes);
    };
  }

  /**
   * Counts views of one buffer once on tfjs-node, where each has a data id of its own: a dense layer on sequences
   * reshapes at every step, and would count for 2.7 times what it takes (measured).
   */
  attachNative(backend: object): void {
    if (!isNative(backend) || this.#engines.has(backend)) return;
    this.#engines.add(backend);
    const { executeSingleOutput } = backend;
    backend.executeSingleOutput = (operation, attributes, inputs) => {
      this.#viewed = views.has(operation) ? (inputs[0]?.dataId ?? null) : null;
      try {
        return executeSingleOutput.call(backend, operation, attributes, inputs);
      } finally {
        this.#viewed = null;
      }
    };
  }

  #take(dataId: object, bytes: number): void {
    const viewed = this.#viewed === null ? undefined : this.#buffers.get(this.#viewed);
    if (viewed !== undefined && viewed.bytes === bytes) {
      viewed.users++;
      this.#buffers.set(dataId, viewed);
      return;
    }
    this.#buffers.set(dataId, { bytes, users: 1 });
    this.#add(bytes);
  }

  #free(dataId: object, bytes: number): void {
    const buffer = this.#buffers.get(dataId);
    this.#buffers.delete(dataId);
    if (buffer === undefined) this.#add(-bytes);
    else if (--buffer.users === 0) this.#add(-buffer.bytes);
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

function isNative(backend: object): backend is NativeBackend {
  return typeof Reflect.get(backend, 'executeSingleOutput') === 'function';
}
