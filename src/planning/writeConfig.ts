// Writes an accumulation config, so that equal plans give equal files and a person's own changes stay.
import { type ParseError, findNodeAtLocation, parseTree } from 'jsonc-parser';
import { type AccumulationConfig, type MeasuredPlan, configVersion } from './configSchema';
import type { Plan } from './plan';

/** What a config holds beside the plan itself. */
export interface ConfigFacts {
  /** The script or model.json, relative to the config's folder. */
  readonly entry: string;
  readonly training: AccumulationConfig['training'];
  readonly plannedAt: Date;
  readonly productVersion: string;
  readonly nodeVersion: string;
  readonly tfjsVersion: string;
  /** Where editors find the description of the file, if it is to name one. */
  readonly schema?: string;
}

/** The config of a plan. Paths are written with forward slashes, so that the file serves on every system. */
export function configOfPlan(plan: Plan, facts: ConfigFacts): AccumulationConfig {
  const measured: MeasuredPlan = {
    plannedAt: facts.plannedAt.toISOString(),
    productVersion: facts.productVersion,
    nodeVersion: facts.nodeVersion,
    tfjsVersion: facts.tfjsVersion,
    backend: { name: plan.backend.name, version: plan.backend.version },
    device: plan.device,
    budgetBytes: plan.budgetBytes,
    objective: plan.objective,
    largestMicrobatch: plan.largestMicrobatch,
    proof: plan.proof,
    memory: plan.memory,
    trials: plan.trials,
    fingerprint: plan.model.fingerprint,
    exactness: plan.exactness,
    warnings: plan.warnings,
    planned: {
      targetBatchSize: plan.targetBatchSize,
      microbatchSize: plan.microbatchSize,
      examples: plan.examples,
      backendReason: plan.backend.reason,
      modelName: plan.model.name,
      parameters: plan.model.parameters,
      ...(plan.model.optimizer === undefined ? {} : { optimizer: plan.model.optimizer }),
      parts: plan.parts ?? null,
    },
  };
  return {
    ...(facts.schema === undefined ? {} : { $schema: facts.schema }),
    version: configVersion,
    entry: facts.entry,
    backend: plan.backend.name,
    targetBatchSize: plan.targetBatchSize,
    microbatchSize: plan.microbatchSize,
    training: facts.training,
    measured,
  };
}

/** The text of a config: keys in one order, two blanks of indent, small objects on one line, a newline at the end. */
export function writeConfig(config: AccumulationConfig): string {
  return `${format(ordered(config), '', true)}\n`;
}

/**
 * The text of a config that was there before, with a new plan in it: comments, the order of keys, and every key that
 * the plan does not decide (the training, above all) stay as the person left them.
 * @param existing text that `readConfig` accepts; anything else is replaced whole.
 */
export function updateConfig(existing: string, config: AccumulationConfig): string {
  const errors: ParseError[] = [];
  const tree = parseTree(existing, errors, { allowTrailingComma: true });
  const last = tree?.children?.at(-1);
  if (tree?.type !== 'object' || last === undefined || errors.length > 0) return writeConfig(config);
  const eol = existing.includes('\r\n') ? '\r\n' : '\n';
  const edits: { from: number; to: number; text: string }[] = [];
  for (const [key, value] of Object.entries(ordered(config))) {
    const old = findNodeAtLocation(tree, [key]);
    const text = format(value, '  ', false).replaceAll('\n', eol);
    if (old === undefined) {
      const end = last.offset + last.length;
      edits.push({ from: end, to: end, text: `,${eol}  ${JSON.stringify(key)}: ${text}` });
    } else if (key !== '$schema' && key !== 'training') {
      edits.push({ from: old.offset, to: old.offset + old.length, text });
    }
  }
  // From the end backwards, so that no edit moves the place of another; of two at one place, the later comes first.
  const backwards = edits.reverse().sort((one, other) => other.from - one.from);
  return backwards.reduce(
    (text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to),
    existing,
  );
}

function ordered(config: AccumulationConfig): AccumulationConfig {
  const { $schema, version, entry, backend, targetBatchSize, microbatchSize, training, measured } = config;
  return {
    ...($schema === undefined ? {} : { $schema }),
    version,
    entry,
    backend,
    targetBatchSize,
    microbatchSize,
    training,
    ...(measured === undefined ? {} : { measured }),
  };
}

const width = 100;

function format(value: unknown, indent: string, expanded: boolean): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return open + close;
  const write = (inner: string) =>
    entries.map(([key, item]) => {
      const prefix = isList ? '' : `${JSON.stringify(key)}: `;
      return prefix + format(item, inner, false);
    });
  const inLine = write('').join(', ');
  const line = isList ? `[${inLine}]` : `{ ${inLine} }`;
  if (!expanded && !line.includes('\n') && indent.length + line.length <= width) return line;
  const deeper = `${indent}  `;
  return `${open}\n${write(deeper)
    .map((item) => deeper + item)
    .join(',\n')}\n${indent}${close}`;
}
