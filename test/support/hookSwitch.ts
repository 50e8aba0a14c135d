// The hook and the plain tfjs-layers in one process: the reference of an equality test is the unhooked `fit`.
import type { FitObserver, HookSettings } from '../../src/engine/contracts';
import { installFitHook } from '../../src/engine/fitHook';
import type { TestBackend } from './testBackends';

/** Runs work with tfjs-layers as it is, or with the hook installed. */
export interface HookSwitch {
  /** May be changed between two calls. */
  settings: HookSettings;
  observer: FitObserver;
  unhooked<T>(work: () => Promise<T>): Promise<T>;
  hooked<T>(work: () => Promise<T>): Promise<T>;
}

const methods = {
  LayersModel: ['fit', 'fitDataset', 'trainOnBatch', 'makeTrainFunction', 'makeTestFunction'],
  Sequential: ['fit', 'fitDataset', 'trainOnBatch'],
  History: ['onBatchEnd', 'onEpochEnd'],
} as const;

/** Installs the hook switched off: the plain methods stay in place outside `hooked`. */
export function installSwitch({ core, layers }: TestBackend): HookSwitch {
  const state: HookSwitch = {
    settings: { microbatchSize: () => 4, targetBatchSize: null, selfCheck: false },
    observer: {},
    unhooked: (work) => work(),
    hooked: async (work) => {
      put(patched);
      try {
        return await work();
      } finally {
        put(plain);
      }
    },
  };
  const owners = Object.entries(methods).flatMap(([owner, names]) =>
    names.map((name) => ({ owner: layers[owner as keyof typeof methods].prototype as object, name })),
  );
  const take = (): (PropertyDescriptor | undefined)[] =>
    owners.map(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name));
  const put = (descriptors: readonly (PropertyDescriptor | undefined)[]): void => {
    owners.forEach(({ owner, name }, index) => {
      const descriptor = descriptors[index];
      // History inherits onBatchEnd: what was not its own is taken away again.
      if (descriptor === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, descriptor);
    });
  };
  const plain = take();
  // Settings and observer are read through the switch, so that each test can set its own.
  const observer = new Proxy<FitObserver>(
    {},
    { get: (_, member) => Reflect.get(state.observer, member) as unknown },
  );
  const settings: HookSettings = {
    microbatchSize: () => state.settings.microbatchSize(),
    get targetBatchSize() {
      return state.settings.targetBatchSize;
    },
    get selfCheck() {
      return state.settings.selfCheck;
    },
    get selfCheckRows() {
      return state.settings.selfCheckRows ?? 8;
    },
  };
  installFitHook({ core, layers }, settings, observer);
  const patched = take();
  put(plain);
  return state;
}
