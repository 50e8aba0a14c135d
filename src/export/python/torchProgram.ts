// The plan as a PyTorch program of one process.
import type { ExportForm, ExportedPlan } from '../exportedPlan';
import { torchOptimizer } from './optimizers';
import { pythonProgram } from './program';
import { torchCut, torchImports, torchModel, torchSelftest } from './torchParts';

const loop = `DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def accumulate(model, x, y):
    """Adds the gradient of a whole batch to the parameters' grad; returns its loss."""
    total = max(1, count(y))  # of the whole batch, before it is cut
    batch_loss = 0.0
    for xs, ys in zip(cut(x), cut(y)):
        # A sum by the whole batch's count: each microbatch weighs what it has of it.
        # A mean of means (1 / steps) would be wrong wherever they differ.
        loss = loss_sum(model, xs.to(DEVICE), ys.to(DEVICE)) / total
        loss.backward()  # adds to grad
        batch_loss += loss.detach()
    return batch_loss


def update(model, optimizer, x, y):
    optimizer.zero_grad()  # once per update, not per microbatch
    loss = accumulate(model, x, y)
    optimizer.step()  # clip the gradients before this line, if you clip
    return loss


def main():
    model = make_model().to(DEVICE)
    optimizer = make_optimizer(model.parameters())
    x, y = make_data(BATCH * 4 + max(1, BATCH // 2))
    for epoch in range(3):
        for start in range(0, len(x), BATCH):  # the last batch may be smaller
            rows = slice(start, start + BATCH)
            loss = update(model, optimizer, x[rows], y[rows])
        print(f"epoch {epoch + 1}: loss {loss:.4f}")`;

const start = `if __name__ == "__main__":
    sys.exit(selftest() if "--selftest" in sys.argv else main())`;

/** The program; runs by `python`, with PyTorch alone. */
export function torchProgram(plan: ExportedPlan, form: ExportForm, file: string): string {
  const imports = torchImports(form, [], 'import torch\nfrom torch import nn');
  return pythonProgram(plan, `python ${file}`, imports, [
    torchModel(form),
    torchOptimizer(plan.optimizer),
    torchCut(form),
    loop,
    torchSelftest(form, {
      wrapped: 'bare',
      device: 'DEVICE',
      report: '        print(f"{what}: {difference:.1e} off, at most {limit:.0e} allowed")',
    }),
    start,
  ]);
}
