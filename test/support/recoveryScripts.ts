// Scripts whose process dies in the middle of its training, once or always, by a signal of its own.
import { mlp } from './trainScripts';

/** Updates of an epoch: 80 examples, 32 an update. */
export const updatesPerEpoch = 3;

/**
 * Training with shuffling and dropout, whose process ends itself right after an update.
 * @param death code that runs then
 * @param once only in the first process that comes there
 */
export function dyingScript({
  epochs,
  after,
  death,
  once = true,
  tensorflow,
}: {
  epochs: number;
  /** Updates that this process, or those before it, have done. */
  after: number;
  death: string;
  once?: boolean;
  tensorflow?: string;
}): string {
  const condition = once ? "!fs.existsSync('died')" : 'true';
  return mlp({
    epochs,
    shuffle: true,
    layers: 'model.add(tf.layers.dropout({ rate: 0.3 }));',
    ...(tensorflow === undefined ? {} : { tensorflow }),
    callbacks: `{
      onBatchEnd: () => {
        globalThis.updates = (globalThis.updates ?? 0) + 1;
        if (globalThis.updates === ${after} && ${condition}) {
          fs.appendFileSync('died', 'x');
          ${death}
        }
      },
    }`,
  });
}

/** Code that ends the process by a signal, as a crash or the kernel would. */
export function killsItself(signal: NodeJS.Signals): string {
  return `process.kill(process.pid, '${signal}'); for (;;);`;
}
