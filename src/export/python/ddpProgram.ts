// The plan as PyTorch programs of several processes: DistributedDataParallel under torchrun, and the same by Accelerate.
import type { ExportForm, ExportedPlan } from '../exportedPlan';
import { torchOptimizer } from './optimizers';
import { pythonProgram } from './program';
import { torchCut, torchImports, torchModel, torchSelftest } from './torchParts';

/** What differs between the two: how processes find each other, and who computes the gradient. */
interface Engine {
  readonly rank: string;
  readonly world: string;
  readonly device: string;
  readonly noSync: string;
  readonly backward: string;
  readonly sum: string;
  readonly setUp: string;
  readonly tearDown: string;
  readonly prepared: string;
  /** Lines that make model and optimizer to train. */
  readonly make: string;
  readonly isFirst: string;
  /** How gradients are clipped. */
  readonly clip: string;
}

const ddp: Engine = {
  rank: 'dist.get_rank()',
  world: 'dist.get_world_size()',
  device: 'device()',
  noSync: 'model.no_sync()',
  backward: '(loss * world).backward()',
  sum: 'dist.all_reduce(batch_loss)',
  prepared: 'distributed',
  make: `    model = distributed(make_model())
    optimizer = make_optimizer(model.parameters())`,
  isFirst: 'dist.get_rank() == 0',
  clip: 'clip the gradients before this line, if you clip',
  setUp: `def device():
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return torch.device("cpu")


def distributed(model):
    # find_unused_parameters=True where the loss does not reach all parameters.
    return nn.parallel.DistributedDataParallel(model.to(device()))`,
  tearDown: `if __name__ == "__main__":
    if torch.cuda.is_available():
        torch.cuda.set_device(device())
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    code = selftest() if "--selftest" in sys.argv else main()
    dist.barrier()  # gloo's threads must have let go of the last sum when Python ends
    dist.destroy_process_group()
    sys.exit(code)`,
};

const accelerate: Engine = {
  rank: 'accelerator.process_index',
  world: 'accelerator.num_processes',
  device: 'accelerator.device',
  noSync: 'accelerator.no_sync(model)',
  backward: 'accelerator.backward(loss * world)',
  sum: 'batch_loss = accelerator.reduce(batch_loss)',
  prepared: 'accelerator.prepare',
  make: `    model = make_model()
    model, optimizer = accelerator.prepare(model, make_optimizer(model.parameters()))`,
  isFirst: 'accelerator.is_main_process',
  clip: 'clip before this line: accelerator.clip_grad_norm_',
  setUp: `# Its gradient_accumulation_steps stays 1: more would divide each loss by the steps,
# whatever is in them. The weights are in accumulate().
accelerator = Accelerator()`,
  tearDown: `if __name__ == "__main__":
    code = selftest() if "--selftest" in sys.argv else main()
    accelerator.wait_for_everyone()  # no process ends under the last sum of another
    accelerator.end_training()
    sys.exit(code)`,
};

function loop(engine: Engine): string {
  return `def share(tensor):
    """What this process has of a batch: sizes differ by at most one."""
    parts = tensor.tensor_split(${engine.world})
    return parts[${engine.rank}]


def accumulate(model, x, y):
    """Adds the gradient of a whole batch, the same in all processes; returns its loss."""
    # Of the whole batch, over all processes. Where each process reads its own share of the
    # data, sum their counts here (all_reduce), and leave out share() below.
    total = max(1, count(y))
    world = ${engine.world}
    batch_loss = torch.zeros((), device=${engine.device})
    # A process without examples takes part with an empty microbatch.
    microbatches = list(zip(cut(share(x)), cut(share(y))))
    for step, (xs, ys) in enumerate(microbatches):
        last = step == len(microbatches) - 1
        # The gradients go over the network once, with the last microbatch.
        with nullcontext() if last else ${engine.noSync}:
            xs, ys = xs.to(${engine.device}), ys.to(${engine.device})
            # A sum by the whole batch's count: each microbatch weighs what it has of
            # it. DDP divides by the number of processes: the factor undoes that.
            loss = loss_sum(model, xs, ys) / total
            ${engine.backward}
        batch_loss += loss.detach()
    ${engine.sum}
    return batch_loss.item()


def update(model, optimizer, x, y):
    optimizer.zero_grad()  # once per update, not per microbatch
    loss = accumulate(model, x, y)
    optimizer.step()  # ${engine.clip}
    return loss


def main():
    torch.manual_seed(1)
${engine.make}
    x, y = make_data(BATCH * 4 + max(1, BATCH // 2))  # the same in all processes
    for epoch in range(3):
        for start in range(0, len(x), BATCH):  # the last batch may be smaller
            rows = slice(start, start + BATCH)
            loss = update(model, optimizer, x[rows], y[rows])
        if ${engine.isFirst}:
            print(f"epoch {epoch + 1}: loss {loss:.4f}")`;
}

function program(plan: ExportedPlan, form: ExportForm, engine: Engine, run: string, imports: string): string {
  return pythonProgram(plan, run, imports, [
    torchModel(form),
    torchOptimizer(plan.optimizer),
    engine.setUp,
    torchCut(form),
    loop(engine),
    torchSelftest(form, {
      wrapped: `${engine.prepared}(bare)`,
      device: engine.device,
      report: `        if ${engine.isFirst}:
            print(f"{what}: {difference:.1e} off, at most {limit:.0e} allowed")`,
    }),
    engine.tearDown,
  ]);
}

/** The program that `torchrun` starts. */
export function ddpProgram(plan: ExportedPlan, form: ExportForm, file: string): string {
  const libraries = 'import torch\nimport torch.distributed as dist\nfrom torch import nn';
  const imports = withNullContext(torchImports(form, ['os'], libraries));
  return program(plan, form, ddp, `torchrun --nproc-per-node ${plan.worldSize} ${file}`, imports);
}

/** The program that `accelerate launch` starts with the config beside it. */
export function accelerateProgram(
  plan: ExportedPlan,
  form: ExportForm,
  file: string,
  configName: string,
): string {
  const libraries = 'import torch\nfrom accelerate import Accelerator\nfrom torch import nn';
  const imports = withNullContext(torchImports(form, [], libraries));
  return program(plan, form, accelerate, `accelerate launch --config_file ${configName} ${file}`, imports);
}

function withNullContext(imports: string): string {
  return imports.replace('\n\n', '\nfrom contextlib import nullcontext\n\n');
}
