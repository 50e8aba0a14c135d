// Reads what is typed into the fields of what-if; each mistake gets one sentence: what there is, and what to write.
import type { Plan } from '../../src/planning/plan';
import { formatBytes, formatCount } from '../../src/planning/units';
import {
  InputError,
  largestTargetBatch,
  parseBudget,
  parseTargetBatch,
  withoutSeparators,
} from '../../src/planning/userInput';
import { largestBudget, largestTarget } from '../../src/planning/whatIf';
import { t } from '../l10n';
import type { Typed } from './amountField';

/** A whole number, with or without separators between thousands, of at most as many examples as there are. */
export function readTargetBatch(text: string, plan: Pick<Plan, 'examples' | 'targetBatchSize'>): Typed {
  const problem = t('Write a whole number from 1 to {0}.', formatCount(largestTargetBatch));
  const typed = read(() => parseTargetBatch(text), problem);
  const most = largestTarget(plan);
  // What was planned can always be gone back to.
  if (!('amount' in typed) || typed.amount <= most || typed.amount === plan.targetBatchSize) return typed;
  return {
    problem: t(
      'There are {0} training examples, and an update can have no more: write a whole number from 1 to {0}.',
      formatCount(most),
    ),
  };
}

/**
 * An amount of memory: `300 MB`, `1.5 GB`; capitals and the B may be left out.
 * @param shown what the field showed before: a number alone is in the unit of that
 */
export function readBudget(text: string, shown: string, plan: Pick<Plan, 'backend' | 'device'>): Typed {
  const problem = t('Write an amount of memory of 1 MB or more with its unit, like 6.5 GB or 300 MB.');
  const typed = read(() => parseBudget(withUnit(text, /[KMGT]B$/.exec(shown)?.[0] ?? 'GB')), problem);
  const most = largestBudget(plan);
  if (!('amount' in typed) || most === null || typed.amount <= most.bytes) return typed;
  return {
    problem:
      most.of === 'device'
        ? t('The device has {0}: write that or less.', formatBytes(most.bytes))
        : t(
            'This backend ({0}) can hold {1}: write that or less.',
            plan.backend.name,
            formatBytes(most.bytes),
          ),
  };
}

/** As the command line wants it: no blanks, a point before a fraction, the unit in capitals. */
function withUnit(text: string, unitShown: string): string {
  const written = withoutSeparators(text.trim()).replace(/\s+/g, '').replace(',', '.');
  const [, amount, prefix, binary] = /^([\d.]+)(?:([KMGT])(i?)B?)?$/i.exec(written) ?? [];
  if (amount === undefined) return written;
  if (prefix === undefined) return `${amount}${unitShown}`;
  return `${amount}${prefix.toUpperCase()}${binary === '' ? '' : 'i'}B`;
}

/** An amount as the budget's field shows it, in the unit that suits: `6.5 GB`, `300 MB`. */
export function budgetText(bytes: number): string {
  const [, amount = '', unit = ''] = /^(\S+) (\S+)$/.exec(formatBytes(bytes, 1)) ?? [];
  return `${Number(amount)} ${unit}`;
}

function read(parse: () => number, problem: string): Typed {
  try {
    return { amount: parse() };
  } catch (error) {
    if (error instanceof InputError) return { problem };
    throw error;
  }
}
