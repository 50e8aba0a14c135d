// What the three PyTorch programs (one process, DDP, Accelerate) share: model and data to replace, the loss, the selftest.
import type { ExportForm } from '../exportedPlan';

/** How a form cuts, counts and computes its loss. */
export function torchModel(form: ExportForm): string {
  return form === 'counted' ? countedModel : plainModel;
}

const plainModel = `def make_model():
    return nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 4))


def make_data(examples):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(examples, 20, generator=generator)
    return x, x[:, :4].argmax(dim=1)


def loss_sum(model, x, y):
    return nn.functional.cross_entropy(model(x), y, reduction="sum")


def count(y):
    return len(y)  # what the batch's loss is the mean over: its examples`;

const countedModel = `PADDING = 0


def make_model():
    return nn.Sequential(nn.Embedding(50, 32), nn.Tanh(), nn.Linear(32, 50))


def make_data(examples):
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(1, 50, (examples, 12), generator=generator)
    lengths = torch.randint(1, 13, (examples, 1), generator=generator)
    x[torch.arange(12) >= lengths] = PADDING  # sequences differ in length
    return x, (x * 7) % 50


def loss_sum(model, x, y):
    logits = model(x).flatten(0, 1)
    return nn.functional.cross_entropy(
        logits, y.flatten(), ignore_index=PADDING, reduction="sum"
    )


def count(y):
    # What the batch's loss is the mean over: tokens that are no padding. They differ
    # from step to step, so neither steps nor examples would weigh right.
    return int((y != PADDING).sum())`;

/** How the microbatches are cut from a (share of a) batch. */
export function torchCut(form: ExportForm): string {
  return form === 'equal'
    ? `def cut(tensor):
    return tensor.split(MICROBATCH)  # in the last batch, the last may be smaller`
    : `def cut(tensor):
    # As few parts as there can be; their sizes differ by at most one.
    return tensor.tensor_split(max(1, math.ceil(len(tensor) / MICROBATCH)))`;
}

export function torchImports(form: ExportForm, more: readonly string[], libraries: string): string {
  const needed = ['copy', 'sys', ...(form === 'equal' ? [] : ['math']), ...more].sort();
  return [...needed.map((name) => `import ${name}`), '', libraries].join('\n');
}

/** The mean over the whole batch as PyTorch computes it. */
export function torchWholeLoss(form: ExportForm): string {
  return form === 'counted'
    ? `    logits = model(x).flatten(0, 1)
    loss = nn.functional.cross_entropy(logits, y.flatten(), ignore_index=PADDING)`
    : `    loss = nn.functional.cross_entropy(model(x), y)`;
}

/** `wrapped` makes what trains of a bare model; `report` prints on one process; `failed` combines all processes'. */
export function torchSelftest(form: ExportForm, parts: TorchSelftestParts): string {
  return `def whole_batch(model, x, y):
    """The gradient without accumulation, to compare with."""
    x, y = x.to(${parts.device}), y.to(${parts.device})
${torchWholeLoss(form)}
    loss.backward()


def selftest():
    failed = False

    def check(what, values, expected, limit):
        nonlocal failed
        values, expected = (
            torch.cat([tensor.detach().cpu().flatten() for tensor in tensors])
            for tensors in (values, expected)
        )
        difference = ((values - expected).norm() / expected.norm()).item()
        failed |= not difference <= limit
${parts.report}

    x, y = make_data(BATCH + max(1, BATCH * 2 // 3))
    batches = [slice(BATCH), slice(BATCH, None)]  # the second one is partial
    torch.manual_seed(1)
    start = make_model().to(${parts.device})
    for what, rows in zip(("whole batch", "partial last batch"), batches):
        bare, reference = copy.deepcopy(start), copy.deepcopy(start)
        accumulate(${parts.wrapped}, x[rows], y[rows])
        whole_batch(reference, x[rows], y[rows])
        gradients = [p.grad for p in bare.parameters()]
        expected = [p.grad for p in reference.parameters()]
        check(f"gradient, {what}", gradients, expected, 1e-6)
    for optimizer_class in (torch.optim.SGD, torch.optim.Adam):
        bare, reference = copy.deepcopy(start), copy.deepcopy(start)
        model = ${parts.wrapped}
        optimizer = optimizer_class(model.parameters(), lr=0.01)
        other = optimizer_class(reference.parameters(), lr=0.01)
        for step in range(20):
            rows = batches[step % 2]
            update(model, optimizer, x[rows], y[rows])
            other.zero_grad()
            whole_batch(reference, x[rows], y[rows])
            other.step()
        what = f"weights after 20 updates, {optimizer_class.__name__}"
        check(what, bare.parameters(), reference.parameters(), 1e-5)
    return int(failed)`;
}

export interface TorchSelftestParts {
  readonly wrapped: string;
  /** Where both are compared. */
  readonly device: string;
  readonly report: string;
}
