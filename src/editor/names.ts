// Names that package.json and the code share; a test holds the two together. No vscode here, so that tests can read it.

/** Commands, by what they do. */
export const commandNames = {
  plan: 'batchPlanner.plan',
  train: 'batchPlanner.startTraining',
  pause: 'batchPlanner.pause',
  resume: 'batchPlanner.resume',
  stop: 'batchPlanner.stop',
  openPlan: 'batchPlanner.openPlan',
  openRun: 'batchPlanner.openRun',
  copyAsCode: 'batchPlanner.copyAsCode',
  selectGpu: 'batchPlanner.selectGpu',
  showLog: 'batchPlanner.showLog',
  copyDiagnostics: 'batchPlanner.copyDiagnostics',
  openExample: 'batchPlanner.openExample',
  setUpTensorflow: 'batchPlanner.setUpTensorflow',
  /** The status bar item's menu; not in the palette. */
  showMenu: 'batchPlanner.showMenu',
} as const;
export type CommandName = (typeof commandNames)[keyof typeof commandNames];

/** Settings, without the section. */
export const settingsSection = 'batchPlanner';
export const settingNames = {
  nodePath: 'nodePath',
  backend: 'backend',
  device: 'device',
  objective: 'objective',
  headroomMegabytes: 'headroomMegabytes',
  statusBarShow: 'statusBar.show',
  statusBarPollSeconds: 'statusBar.pollSeconds',
  statusBarLowMemoryPercent: 'statusBar.lowMemoryPercent',
  codeLens: 'codeLens.enabled',
  autoDetectTasks: 'autoDetectTasks',
} as const;

/** Context keys for `when` clauses. */
export const contextNames = {
  hasGpu: 'batchPlanner.hasGpu',
  planning: 'batchPlanner.planning',
  training: 'batchPlanner.training',
  paused: 'batchPlanner.paused',
  hasPlan: 'batchPlanner.hasPlan',
  /** Paths of the shown files that train. */
  trainingScripts: 'batchPlanner.trainingScripts',
} as const;
export type ContextName = (typeof contextNames)[keyof typeof contextNames];

export const taskType = 'batchPlanner';
export const problemMatchers = ['$batchPlanner', '$batchPlanner-config'] as const;
/** The page's kind, by which VS Code brings it back after a reload. */
export const pageViewType = 'batchPlanner.page';
export const statusBarId = 'batchPlanner.gpuMemory';
/** Scripts, with what stands above their training calls. */
export const scriptSelector = ['javascript', 'typescript', 'typescriptreact'].map((language) => ({
  language,
  scheme: 'file',
}));
/** The configs of a workspace. */
export const configPattern = '**/*.accumulation.json';
/** Folders in which nobody's configs lie. */
export const excludedPattern = '**/{node_modules,.git,.batch-planner}/**';
