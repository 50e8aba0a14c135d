// Reads a model or data file that claims to be huge, and tells the refusal and the most memory that was ever in use.
import { readWeights } from '../../src/engine/model/weightFiles';
import { weightsManifest } from '../../src/engine/model/weightManifest';
import { readCsv, readNumber } from '../../src/engine/model/data/csvTable';
import { openNpy } from '../../src/engine/model/data/npyFile';
import { modelTextLimit, readPlainText } from '../../src/protocol/plainFile';

/** What the program tells on stdout. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
  /** Growth of the most memory ever in use, in bytes. */
  readonly grownBytes: number;
}

const [, , kind = '', file = '', about = ''] = process.argv;
const columns = (width: number) =>
  Array.from({ length: width }, (_, column) => ({ column, read: readNumber }));

async function read(): Promise<void> {
  if (kind === 'weights') await readWeights(file, weightsManifest.parse(JSON.parse(about)));
  else if (kind === 'text') await readPlainText(file, modelTextLimit);
  else if (kind === 'csv') await readCsv([file], { header: 'auto', delimiter: ',' }, columns);
  else openNpy(file).close();
}

/** In kilobytes, as the system counts it. */
const most = (): number => process.resourceUsage().maxRSS;
const before = most();
read().then(
  () => tell(new Error('nothing was refused')),
  (error: unknown) => tell(error instanceof Error ? error : new Error(String(error))),
);

function tell({ name, message }: Error): void {
  const refusal: Refusal = { name, message, grownBytes: (most() - before) * 1024 };
  console.log(`REFUSED ${JSON.stringify(refusal)}`);
}
