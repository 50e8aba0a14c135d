// `setup tensorflow` as a process of its own, for tests of interruptions: arguments are folder, source, and words such as "force".
import { runSetupCommand } from '../../src/supervise/setupCommand';

const [folder = '', from, ...words] = process.argv.slice(2);
const ending = runSetupCommand({
  folder,
  from: from === 'pip' || from === 'stock' ? from : null,
  package: null,
  force: words.includes('force'),
  out: process.stdout,
  err: process.stderr,
});
void ending.then((code) => {
  process.exitCode = code;
});
