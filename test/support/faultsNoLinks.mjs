// A stand-in for a file system without hard links (FAT): every link fails as it does there. Loaded by --import.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const fail = () => Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
fs.promises.link = () => Promise.reject(fail());
fs.linkSync = () => {
  throw fail();
};
syncBuiltinESMExports();
