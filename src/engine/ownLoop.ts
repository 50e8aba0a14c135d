// Notices gradients that are computed outside fit, fitDataset and trainOnBatch: a training loop of the script's own.

/** What is wrapped of tfjs's engine. */
interface GradientEngine {
  gradients(...parameters: unknown[]): unknown;
}

/** Counts gradients computed while no training call runs. */
export class OwnLoopWatch {
  #count = 0;
  #callsRunning = 0;
  readonly #engines = new WeakSet<object>();

  /** `onGradient` is told the count after each one that no training call asked for. */
  constructor(private readonly onGradient: (count: number) => void) {}

  /** Number of gradients computed outside training calls. */
  get count(): number {
    return this.#count;
  }

  callStarted(): void {
    this.#callsRunning++;
  }

  callEnded(): void {
    this.#callsRunning--;
  }

  /** Listens to an engine; Optimizer.minimize, variableGrads and grads all end in its `gradients`. */
  attach(core: { engine(): unknown }): void {
    const engine = core.engine() as Partial<GradientEngine>;
    const { gradients } = engine;
    if (gradients === undefined || this.#engines.has(engine)) return;
    this.#engines.add(engine);
    engine.gradients = (...parameters) => {
      const result: unknown = gradients.apply(engine, parameters);
      if (this.#callsRunning === 0) this.onGradient(++this.#count);
      return result;
    };
  }
}
