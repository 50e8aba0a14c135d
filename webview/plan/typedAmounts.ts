// Reads what is typed into the fields of what-if; each mistake gets one sentence.
import { formatBytes, formatCount } from '../../src/planning/units';
import { InputError, largestTargetBatch, parseBudget, parseTargetBatch } from '../../src/planning/userInput';
import { t } from '../l10n';
import type { Typed } from './amountField';

/** A whole number, with or without separators between thousands. */
export function readTargetBatch(text: string): Typed {
  const problem = t('Write a whole number from 1 to {0}.', formatCount(largestTargetBatch));
  return read(
    () => parseTargetBatch(text.replace(/(?<=\d)[,.\u2009\u202f\u00a0 ](?=\d{3}(\D|$))/g, '')),
    problem,
  );
}

/** `6.5` is in GB; another unit may be written (`512 MB`). */
export function readBudget(text: string, deviceBytes: number | null): Typed {
  const written = text.trim().replace(/\s+/g, '').replace(',', '.');
  const typed = read(
    () => parseBudget(/[A-Za-z]$/.test(written) ? written : `${written}GB`),
    t('Write an amount of memory in GB, like 6.5.'),
  );
  if (deviceBytes === null || !('amount' in typed) || typed.amount <= deviceBytes) return typed;
  return { problem: t('The device has {0}.', formatBytes(deviceBytes)) };
}

/** An amount in GB as the budget's field shows it. */
export function budgetText(bytes: number): string {
  return String(Number((bytes / 2 ** 30).toPrecision(3)));
}

function read(parse: () => number, problem: string): Typed {
  try {
    return { amount: parse() };
  } catch (error) {
    if (error instanceof InputError) return { problem };
    throw error;
  }
}
