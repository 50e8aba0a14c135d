// The environment of an engine child: what native TensorFlow reads before it is loaded.

/** Variables that TensorFlow reads once, when its library is loaded. */
export interface TensorflowEnvironment {
  /** Without it TensorFlow takes nearly all GPU memory at its start, and nobody can tell what a model needs. */
  readonly TF_FORCE_GPU_ALLOW_GROWTH: 'true';
  /** Numbers GPUs as nvidia-smi does, so that the device that is shown is the device that is used. */
  readonly CUDA_DEVICE_ORDER: 'PCI_BUS_ID';
  /** 1: no chatter, but warnings stay, among them the allocator's report when memory runs out. */
  readonly TF_CPP_MIN_LOG_LEVEL: string;
}

/**
 * Variables to set for an engine child, given the environment it would have: the user's own log level is kept,
 * the other two are needed for measuring and are not negotiable.
 */
export function engineEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
): TensorflowEnvironment {
  return {
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    TF_CPP_MIN_LOG_LEVEL: inherited.TF_CPP_MIN_LOG_LEVEL ?? '1',
  };
}
