// Trainings on real TensorFlow that are killed at 100 random moments: nothing is lost, and nothing done twice.
import { describeKilled } from '../support/killedSuite';
import { tensorflowLane } from '../support/lanes';

describeKilled({
  backend: 'tfjs-node-gpu',
  tensorflow: '@tensorflow/tfjs-node-gpu',
  updates: 48,
  missing:
    process.platform === 'linux'
      ? (tensorflowLane().missing ?? null)
      : 'the training processes are found by /proc, which only Linux has',
});
