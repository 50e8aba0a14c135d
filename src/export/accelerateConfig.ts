// The config file that `accelerate launch --config_file` reads.
import type { ExportedPlan } from './exportedPlan';

/** For one machine without GPUs in use; `accelerate config` writes others. Its program accumulates, not the engine. */
export function accelerateConfig({ worldSize }: ExportedPlan): string {
  return `# ${worldSize} processes on this machine. On GPUs: distributed_type: MULTI_GPU and use_cpu: false.
compute_environment: LOCAL_MACHINE
debug: false
distributed_type: ${worldSize === 1 ? "'NO'" : 'MULTI_CPU'}
downcast_bf16: 'no'
machine_rank: 0
main_training_function: main
mixed_precision: 'no'
num_machines: 1
num_processes: ${worldSize}
rdzv_backend: static
same_network: true
use_cpu: true
`;
}
