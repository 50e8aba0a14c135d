// What people type and read: amounts, durations, equations, and the sentence for each mistake.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeNothingFits, describeSizes } from '../../../src/planning/describe';
import { splitBatch } from '../../../src/planning/microbatches';
import { formatBytes, formatBytesApart, formatCount, formatDuration } from '../../../src/planning/units';
import { InputError, parseBudget, parseShapes, parseTargetBatch } from '../../../src/planning/userInput';

describe('amounts', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1000, '1000 bytes'],
    [1024, '1.0 KB'],
    [267 * 2 ** 20, '267 MB'],
    [1023.97 * 2 ** 20, '1.0 GB'],
    [8 * 2 ** 30, '8.0 GB'],
    // What nvidia-smi calls 81559 MiB on a card sold as one of 80 GB.
    [81559 * 2 ** 20, '79.6 GB'],
    [6.54 * 2 ** 30, '6.5 GB'],
    // Nearer to 1.5 than to 1.6, though three digits of it round up to 1.55.
    [1.546 * 2 ** 30, '1.5 GB'],
    [15 * 2 ** 40, '15.0 TB'],
    [-2 * 2 ** 30, '−2.0 GB'],
  ])('%d bytes', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [
      [45.01, 45.04],
      ['45.01 MB', '45.04 MB'],
    ],
    [
      [45, 45.004, 50],
      ['45.000 MB', '45.004 MB', '50.0 MB'],
    ],
    [
      [45, 45],
      ['45.0 MB', '45.0 MB'],
    ],
    [
      [45, 46],
      ['45.0 MB', '46.0 MB'],
    ],
    [
      [300.1, 300.4, 900],
      ['300.1 MB', '300.4 MB', '900 MB'],
    ],
  ])('of %j MB, side by side', (amounts, texts) => {
    expect(formatBytesApart(amounts.map((amount) => amount * 2 ** 20))).toEqual(texts);
  });

  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.7, '1.0 s'],
    [4200, '4.2 s'],
    [9960, '10 s'],
    [59_600, '1 m'],
    [72_000, '1 m 12 s'],
    [3_599_600, '1 h'],
    [7_500_000, '2 h 5 m'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('%d ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('counts have separators', () => expect(formatCount(1234567)).toBe('1,234,567'));
});

describe('the equation', () => {
  it.each([
    [2048, 22, '2,048 = 74 × 22 + 20 × 21'],
    [64, 32, '64 = 2 × 32'],
    [64, 64, 'All 64 fit at once: no accumulation needed.'],
    [1, 1, 'One example is the whole batch: no accumulation needed.'],
  ])('%i in parts of at most %i', (total, size, text) => {
    expect(describeSizes(splitBatch(total, size))).toBe(text);
  });

  it('is true for any cut', () => {
    const property = fc.property(
      fc.integer({ min: 2, max: 9999 }),
      fc.integer({ min: 1, max: 999 }),
      (total, size) => {
        fc.pre(size < total);
        const [left, right] = describeSizes(splitBatch(total, size)).replaceAll(',', '').split(' = ');
        const terms = (right ?? '')
          .split(' + ')
          .map((term) => term.split(' × ').reduce((a, b) => a * Number(b), 1));
        expect(terms.reduce((a, b) => a + b)).toBe(Number(left));
        expect(Number(left)).toBe(total);
      },
    );
    fc.assert(property);
  });
});

describe('when nothing fits', () => {
  const GB = 2 ** 30;
  const MB = 2 ** 20;
  const parts = {
    weightsBytes: GB,
    optimizerBytes: 2 * GB,
    accumulatorBytes: GB,
    dataBytes: 3 * GB,
    overheadBytes: 0,
  };

  it('says what one example needs, what there is, the three largest parts and what would help', () => {
    const lines = describeNothingFits({
      needsBytes: 7.5 * GB,
      hasBytes: 6.5 * GB,
      deviceName: 'RTX 3070',
      parts,
    });
    expect(lines).toEqual([
      'Not even one example fits. One example alone needs 7.5 GB; 6.5 GB may be used on RTX 3070.',
      "Largest parts: data kept on the device 3.0 GB, the optimizer's own state 2.0 GB, weights 1.0 GB.",
      expect.stringMatching(/fitDataset.*sgd.*fewer weights.*programs that use RTX 3070/),
    ]);
  });

  it('never writes what is needed as what there is', () => {
    const facts = { needsBytes: 3.41 * GB, hasBytes: 3.4 * GB, deviceName: null, parts: null };
    expect(describeNothingFits(facts)[0]).toBe(
      'Not even one example fits. One example alone needs 3.41 GB; 3.40 GB may be used.',
    );
  });

  it('counts what is left over as activations, and says nothing that it does not know', () => {
    const small = {
      weightsBytes: MB,
      optimizerBytes: 2 * MB,
      accumulatorBytes: 0,
      dataBytes: 0,
      overheadBytes: 0,
    };
    const facts = { needsBytes: 9 * GB, hasBytes: null, deviceName: null, parts: small };
    expect(describeNothingFits(facts)[1]).toBe(
      "Largest parts: activations and temporaries of one example 9.0 GB, the optimizer's own state 2.0 MB, weights 1.0 MB.",
    );
    expect(describeNothingFits({ needsBytes: null, hasBytes: null, deviceName: null, parts: null })[0]).toBe(
      'Not even one example fits. One example alone ran out of memory.',
    );
  });
});

/** The sentence of the InputError that is thrown. */
function sentenceOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a budget', () => {
  it.each([
    ['8GB', 8 * 2 ** 30],
    ['6.5GB', 6.5 * 2 ** 30],
    ['8GiB', 8 * 2 ** 30],
    ['512MB', 512 * 2 ** 20],
    ['512MiB', 512 * 2 ** 20],
    ['1TB', 2 ** 40],
    ['8000000000', 8e9],
    [' 8GB ', 8 * 2 ** 30],
  ])('%s', (text, bytes) => expect(parseBudget(text)).toBe(bytes));

  it.each([
    ['8 gb', /write 8GB\.$/],
    ['8gb', /write 8GB\.$/],
    ['8 GB', /write 8GB\.$/],
    ['8G', /write 8GB\.$/],
    ['7.5gib', /write 7\.5GiB\.$/],
    ['-1', /"-1" is below zero/],
    ['lots', /"lots" is not an amount of memory: write it like 8GB/],
    ['', /is not an amount of memory/],
    ['8', /less than 1 MB: .* for example 8GB/],
    ['0', /less than 1 MB/],
    ['8XB', /a number and one of MB, GB/],
    ['1e9', /not written as an amount|is not an amount/],
    ['9999999TB', /more than any device has/],
    ['NaN', /is not an amount/],
  ])('%s is refused in one sentence', (text, sentence) => {
    const told = sentenceOf(() => parseBudget(text));
    expect(told).toMatch(sentence);
    expect(told).toMatch(/^[^\n]+\.$/);
  });
});

describe('a target batch', () => {
  it.each([
    ['1', 1],
    ['2048', 2048],
    ['16777216', 16777216],
    ['1,024', 1024],
    ['16,777,216', 16777216],
    ['1 024', 1024],
    ['1\u202f024', 1024],
    [' 12_345 ', 12345],
  ])('%s', (text, value) => expect(parseTargetBatch(text)).toBe(value));

  it.each([
    ['0', /is zero/],
    ['-1', /is below zero/],
    ['1.5', /is not whole/],
    ['1e12', /is too large/],
    ['1e3', /is not written in digits/],
    ['many', /is not a number/],
    ['1.024', /is not whole/],
    ['1,02', /is not a number/],
    ['1,0245', /is not a number/],
    ['1,024 048', /is not a number/],
    ['1024,048', /is not a number/],
    ['32,777,216', /is too large/],
    ['', /is not a number/],
    ['0x10', /is not written in digits/],
    ['Infinity', /is too large/],
  ])('%s is refused in one sentence that says the range', (text, sentence) => {
    const told = sentenceOf(() => parseTargetBatch(text));
    expect(told).toMatch(sentence);
    expect(told).toMatch(/a whole number from 1 to 16,777,216\.$/);
  });
});

describe('shapes', () => {
  it('are read with and without names', () => {
    expect(parseShapes([])).toEqual({});
    expect(parseShapes(['224,224,3'])).toEqual({ '*': [224, 224, 3] });
    expect(parseShapes(['input_1=224, 224,3', 'a=b=7'])).toEqual({ input_1: [224, 224, 3], 'a=b': [7] });
  });

  it.each([
    [['224,x,3'], /"x" for a dimension/],
    [['224,,3'], /"" for a dimension/],
    [['224,0,3'], /"0" for a dimension/],
    [['224,-1'], /"-1" for a dimension/],
    [['2.5'], /"2.5" for a dimension/],
    [['=3'], /no name before the =/],
    [[''], /for a dimension/],
    [['3', '4'], /without a name is given twice/],
    [['a=3', 'a=4'], /of a is given twice/],
  ])('%j is refused in one sentence', (texts, sentence) => {
    expect(sentenceOf(() => parseShapes(texts))).toMatch(sentence);
  });
});
