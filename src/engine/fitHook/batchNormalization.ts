// Moving statistics of BatchNormalization layers, written once per update, as the full batch would have written them.
import type { Core, InnerModel, Layer, LayerWeight, Tensor } from './innerModel';
import { layerProperty, layersOf } from './layersOf';

/** A BatchNormalization layer's plain properties; swapped for recorders while a microbatch runs. */
interface NormalizationLayer {
  momentum: number;
  movingMean: LayerWeight;
  movingVariance: LayerWeight;
}

/** What one call of the layer saw in each microbatch, in order. A layer used m times in a model has m of these. */
interface Recorded {
  readonly means: Tensor[];
  readonly variances: Tensor[];
}

/**
 * tfjs writes `moving -= (1 - momentum)(moving - statistic)` at each forward pass: with K microbatches, K writes per
 * update, each with a microbatch's own statistics. Here the writes are recorded, and `apply` makes the one write of
 * the full batch from the combined statistics: mean = Σ wₖ·meanₖ, variance = Σ wₖ·(varianceₖ + (meanₖ - mean)²),
 * with wₖ = nₖ / Σn (the pooled population variance, which is what `tf.moments` gives for the full batch). Exact for
 * the first such layer of a model; the input of a later one depends on the microbatch already.
 * The layer's own weights stay untouched until `apply`, so that an update can be given up or begun again.
 */
export class MovingStatistics {
  private readonly layers: readonly (NormalizationLayer & Layer)[];
  private readonly recorded = new Map<NormalizationLayer, Recorded[]>();
  private sizes: number[] = [];

  constructor(
    private readonly core: Core,
    model: Pick<InnerModel, 'layers'>,
  ) {
    this.layers = layersOf(model).filter(isNormalization);
  }

  /** Runs one microbatch of `size` rows; what it would write to moving statistics is kept for `apply`. */
  record<T>(size: number, run: () => T): T {
    if (this.layers.length === 0) return run();
    const own = this.layers.map(({ momentum, movingMean, movingVariance }) => ({
      momentum,
      movingMean,
      movingVariance,
    }));
    const seen = this.layers.map(() => ({ means: [] as Tensor[], variances: [] as Tensor[] }));
    const zeros: Tensor[] = [];
    this.layers.forEach((layer, index) => {
      // 0 - (0 - statistic)·(1 - 0) is the statistic itself, to the bit.
      layer.momentum = 0;
      const recorder = (weight: LayerWeight, into: Tensor[] | undefined): LayerWeight => {
        const zero = this.core.keep(this.core.zerosLike(weight.read()));
        zeros.push(zero);
        return {
          shape: weight.shape,
          read: () => zero as ReturnType<LayerWeight['read']>,
          write: (value) => into?.push(this.core.keep(this.core.clone(value))),
        };
      };
      layer.movingMean = recorder(layer.movingMean, seen[index]?.means);
      layer.movingVariance = recorder(layer.movingVariance, seen[index]?.variances);
    });
    let done = false;
    try {
      const result = run();
      done = true;
      return result;
    } finally {
      this.layers.forEach((layer, index) => Object.assign(layer, own[index]));
      this.core.dispose(zeros);
      if (done) this.take(size, seen);
      else this.core.dispose(seen.flatMap(({ means, variances }) => [...means, ...variances]));
    }
  }

  /** Writes what the full batch would have written, and forgets what was recorded. */
  apply(): void {
    const total = this.sizes.reduce((sum, size) => sum + size, 0);
    const weights = this.sizes.map((size) => size / total);
    for (const [layer, calls] of this.recorded) {
      for (const { means, variances } of calls) {
        this.core.tidy(() => {
          const { mean, variance } = combine(this.core, means, variances, weights);
          move(this.core, layer.movingMean, mean, layer.momentum);
          move(this.core, layer.movingVariance, variance, layer.momentum);
        });
      }
    }
    this.forget();
  }

  /** Drops what was recorded: the update is begun again, or given up. */
  forget(): void {
    for (const calls of this.recorded.values()) {
      for (const { means, variances } of calls) this.core.dispose([...means, ...variances]);
    }
    this.recorded.clear();
    this.sizes = [];
  }

  private take(size: number, seen: readonly Recorded[]): void {
    this.sizes.push(size);
    this.layers.forEach((layer, index) => {
      const calls = this.recorded.get(layer) ?? [];
      this.recorded.set(layer, calls);
      seen[index]?.means.forEach((mean, call) => {
        const variance = seen[index]?.variances[call];
        if (variance === undefined) throw new TypeError(`${layer.name} wrote a mean without a variance.`);
        const slot = (calls[call] ??= { means: [], variances: [] });
        slot.means.push(mean);
        slot.variances.push(variance);
      });
    });
  }
}

function combine(
  core: Core,
  means: readonly Tensor[],
  variances: readonly Tensor[],
  weights: readonly number[],
) {
  const [onlyMean] = means;
  const [onlyVariance] = variances;
  if (means.length === 1 && onlyMean && onlyVariance) return { mean: onlyMean, variance: onlyVariance };
  const mean = core.addN(means.map((one, index) => core.mul(one, weights[index] ?? 0)));
  const variance = core.addN(
    variances.map((one, index) => {
      const apart = core.squaredDifference(means[index] ?? mean, mean);
      return core.mul(core.add(one, apart), weights[index] ?? 0);
    }),
  );
  return { mean, variance };
}

/** The layer's own formula, in its order of operations. */
function move(core: Core, moving: LayerWeight, statistic: Tensor, momentum: number): void {
  const before = moving.read();
  moving.write(core.sub(before, core.mul(core.sub(before, statistic), 1 - momentum)));
}

function isNormalization(layer: Layer): layer is NormalizationLayer & Layer {
  return (
    layer.getClassName() === 'BatchNormalization' &&
    typeof layerProperty(layer, 'momentum') === 'number' &&
    layerProperty(layer, 'movingMean') !== undefined &&
    layerProperty(layer, 'movingVariance') !== undefined
  );
}
