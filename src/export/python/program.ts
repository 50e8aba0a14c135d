// What all exported Python programs share: their head, the way constants are written, and the calls that may grow long.
import type { ExportedPlan } from '../exportedPlan';
import { shownEntry, sharesText } from '../planText';

/** What black breaks lines at. */
const longestLine = 88;

/**
 * A whole program of parts, two blank lines between them. `run` is how it is started, `where` in which processes.
 */
export function pythonProgram(
  plan: ExportedPlan,
  run: string,
  imports: string,
  parts: readonly string[],
  where = '',
): string {
  const head = `"""Trains on batches of many examples, few of which are in memory at once.

    ${run} --selftest

${where === '' ? '' : `${where}\n`}shows how far the gradient is from the whole batch's. Yours to replace: make_model,
make_data, make_optimizer and the loss.
"""

# Batch Planner's plan of ${shownEntry(plan.entry)}:
${sharesText(plan)
  .map((line) => `# ${line}`)
  .join('\n')}

${imports}

${constants(plan)}`;
  return `${[head, ...parts].join('\n\n\n')}\n`;
}

function constants({ targetBatchSize, microbatchSize, worldSize }: ExportedPlan): string {
  const where = worldSize === 1 ? '' : ', of all processes together';
  const each = worldSize === 1 ? '' : ' in a process';
  return [
    `BATCH = ${targetBatchSize}  # examples per update${where}`,
    `MICROBATCH = ${microbatchSize}  # most examples at once${each}`,
  ].join('\n');
}

/** `return name(args)` at one level of indent, broken as black breaks it. */
export function returnedCall(name: string, args: readonly string[]): string {
  const line = `    return ${name}(${args.join(', ')})`;
  if (line.length <= longestLine) return line;
  return [`    return ${name}(`, ...args.map((arg) => `        ${arg},`), '    )'].join('\n');
}

/** A float as Python reads it and black leaves it: 1.0, since Keras takes no whole number for a rate. */
export function pythonFloat(value: number): string {
  return Number.isInteger(value) && value < 1e21 ? `${value}.0` : String(value).replace('e+', 'e');
}
