// Trainings on the plain cpu backend that are killed at 100 random moments: nothing is lost, and nothing done twice.
import { describeKilled } from '../support/killedSuite';

describeKilled({
  backend: 'cpu',
  tensorflow: '@tensorflow/tfjs',
  updates: 72,
  missing:
    process.platform === 'linux' ? null : 'the training processes are found by /proc, which only Linux has',
});
