// The "data" of a model.json entry's training: which files hold the examples, and how they become tensors.
import * as z from 'zod';

const file = z
  .string()
  .min(1, 'A file name cannot be empty.')
  .describe("Path of a file, relative to this config's folder (forward slashes work on every system).");
const files = z.array(file).min(1, 'Name at least one file.');

/** How numbers are brought to a size that a model learns from; every key may be left out. */
const scaling = {
  subtract: z.number().optional().describe('Subtracted from every value before it is divided.'),
  divideBy: z
    .number()
    .refine((value) => value !== 0, 'A value cannot be divided by 0.')
    .optional()
    .describe('Every value is divided by this: 255 brings 8-bit pixels to 0..1.'),
  standardize: z
    .boolean()
    .optional()
    .describe(
      'Subtract the mean and divide by the standard deviation, for each value of an example, as found in the training examples. The figures are saved beside the trained model.',
    ),
};

const notBoth = (value: {
  standardize?: boolean | undefined;
  subtract?: number | undefined;
  divideBy?: number | undefined;
}) => value.standardize !== true || (value.subtract === undefined && value.divideBy === undefined);
const notBothMessage =
  '"standardize" finds what to subtract and divide by: leave "subtract" and "divideBy" out.';

/** How a target is given to the loss. */
const encoding = {
  encode: z
    .enum(['auto', 'none', 'classIndex', 'oneHot'])
    .default('auto')
    .describe(
      'auto: whatever the loss needs. none: the numbers as they are. classIndex: one class number for each example. oneHot: a class number becomes a row of zeros with a single 1.',
    ),
  classes: z
    .union([
      z.int('The number of classes is a whole number, or "classes" is the list of their names.').min(2),
      z.array(z.string().min(1)).min(2, 'Name at least two classes.'),
    ])
    .optional()
    .describe(
      "Number of classes (numbered from 0), or the list of their names in the order of the model's outputs. Left out: as many as the model has outputs.",
    ),
};

const columns = z
  .array(
    z.union([
      z.int('A column is a whole number, a name from the header, or a range such as "0..63".'),
      z.string().min(1),
    ]),
  )
  .min(1, 'Name at least one column.')
  .describe(
    'Columns by number (0 is the first, -1 the last), by name from the header, or as a range such as "0..63" (both ends included).',
  );

const csvInput = z
  .strictObject({
    columns: columns
      .optional()
      .describe('Columns of this input. Left out: every column that is not a target.'),
    ...scaling,
  })
  .refine(notBoth, notBothMessage);

const csvTarget = z.strictObject({ columns, ...encoding });

/** Examples in text files, one a line. */
export const csvData = z.strictObject({
  format: z.literal('csv'),
  files: files.describe('CSV files, one example a line; several are read as if they were one.'),
  header: z
    .union([z.boolean(), z.literal('auto')])
    .default('auto')
    .describe('Whether the first line names the columns. auto: it does if none of its fields is a number.'),
  delimiter: z
    .string()
    .length(1, 'The delimiter is a single character.')
    .regex(/[^"\r\n]/, 'The delimiter cannot be a quote or the end of a line.')
    .default(',')
    .describe('What stands between two fields.'),
  inputs: z
    .array(csvInput)
    .min(1)
    .default([{}])
    .describe("One entry for each of the model's inputs, in their order."),
  targets: z.array(csvTarget).min(1).describe("One entry for each of the model's outputs, in their order."),
  validation: z
    .strictObject({ files: files.describe('CSV files with the same columns.') })
    .optional()
    .describe('Examples to validate on, from files of their own.'),
});

const npyInput = z
  .strictObject({ file: file.describe('A .npy file: axis 0 counts the examples.'), ...scaling })
  .refine(notBoth, notBothMessage);
const npyTarget = z.strictObject({
  file: file.describe('A .npy file: axis 0 counts the examples.'),
  ...encoding,
});

/** Examples in NumPy files. Rows are read when they are needed, so that a file may be larger than the memory. */
export const npyData = z.strictObject({
  format: z.literal('npy'),
  inputs: z.array(npyInput).min(1).describe("One file for each of the model's inputs, in their order."),
  targets: z.array(npyTarget).min(1).describe("One file for each of the model's outputs, in their order."),
  validation: z
    .strictObject({
      inputs: files.describe("One .npy file for each of the model's inputs."),
      targets: files.describe("One .npy file for each of the model's outputs."),
    })
    .optional()
    .describe(
      'Examples to validate on, from files of their own; scaled and encoded like the training examples.',
    ),
});

/** The "data" object: its "format" says which of the two it is. */
export const modelData = z.discriminatedUnion('format', [csvData, npyData]);

export type CsvData = z.infer<typeof csvData>;
export type NpyData = z.infer<typeof npyData>;
export type ModelData = z.infer<typeof modelData>;
/** How the values of an input are scaled. */
export type Scaling = Pick<NpyData['inputs'][number], 'subtract' | 'divideBy' | 'standardize'>;
/** How a target is given to the loss. */
export type TargetEncoding = Pick<NpyData['targets'][number], 'encode' | 'classes'>;
