// Scripts whose process dies in the middle of its training, once or always, by a signal of its own.
import { mlp } from './trainScripts';

/**
 * Training with shuffling, 3 updates an epoch, whose process ends itself right after an update.
 * @param death code that runs then
 * @param once only in the first process that comes there
 */
export function dyingScript({
  epochs,
  after,
  death,
  once = true,
  dropout = true,
}: {
  epochs: number;
  /** Updates that this process, or those before it, have done. */
  after: number;
  death: string;
  once?: boolean;
  /** Random masks, which are other ones where an update is cut in another way. */
  dropout?: boolean;
}): string {
  const condition = once ? "!fs.existsSync('died')" : 'true';
  return mlp({
    epochs,
    shuffle: true,
    layers: dropout ? 'model.add(tf.layers.dropout({ rate: 0.3 }));' : '',
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
