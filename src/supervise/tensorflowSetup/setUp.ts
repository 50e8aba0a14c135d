// Makes the package one way, in a staging folder, puts it into place, tries it, and takes everything back when it does not work.
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { RunCommand } from './command';
import { compileBinding } from './compile';
import { findNodeHeaders, findNpmScript, type Surroundings } from './executables';
import { StalledError, whileGrowing } from './growth';
import { gatherDependencies, installWithNpm } from './npmPackage';
import { getTensorflow } from './pipTensorflow';
import { makeStaging, removeStaging, Undo } from './staging';
import { installStock } from './stockTensorflow';
import { checkByTraining, type TrainingCheck } from './trainingCheck';
import { SetupError, type SetupAttempt, type SetupFacts, type SetupPlan } from './types';

/** Version of the npm package with Node-API's headers, for a Node that came without them. */
const headersPackage = { name: 'node-api-headers', version: '1.9.0' } as const;

/** What the setup is run with. */
export interface SetupTools {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  readonly surroundings: Surroundings;
  readonly processorName: string;
  readonly say: (line: string) => void;
}

/** A GPU was expected and not used; what was made has been taken back. */
export class GpuNotUsedError extends SetupError {
  constructor(check: TrainingCheck) {
    const missing =
      check.missingLibraries.length > 0 ? `; not found: ${check.missingLibraries.join(', ')}` : '';
    super('broken', `TensorFlow ${check.tensorflowVersion} trains here, but on the CPU${missing}.`);
  }
}

/**
 * One attempt. What it leaves behind is either a package that has trained one step, or the folder as it was.
 * @param keepOnCpu keep what works even though it does not use the GPU that was expected
 * @throws SetupError; the signal's reason when interrupted
 */
export async function setUp(
  plan: SetupPlan,
  attempt: SetupAttempt,
  facts: SetupFacts,
  keepOnCpu: boolean,
  tools: SetupTools,
): Promise<TrainingCheck> {
  const undo = new Undo();
  let staging: string | null = null;
  try {
    const parent = stagingParent(plan, facts);
    undo.makeFolder(parent);
    staging = makeStaging(parent);
    const packageFolder = await makePackage(plan, attempt, facts, staging, tools);
    tools.signal.throwIfAborted();
    putIntoPlace(plan, facts, staging, packageFolder, undo);
    tools.say('Training one step with it.');
    const { run, signal, processorName, surroundings } = tools;
    const where = { run, signal, processorName, nodePath: surroundings.nodePath };
    const check = await checkByTraining(plan.packageName, facts.folder.path, where);
    if (attempt.expectsGpu && !check.usesGpu && !keepOnCpu) throw new GpuNotUsedError(check);
    removeStaging(staging);
    return check;
  } catch (error) {
    tools.say(`${tools.signal.aborted ? 'Interrupted' : 'That did not work'}; taking back what was done.`);
    undo.run(staging);
    throw error;
  }
}

function stagingParent(plan: SetupPlan, { folder, present }: SetupFacts): string {
  if (plan.layout === 'nativePart' && present.state !== 'absent') return present.packageFolder;
  return plan.layout === 'inside' ? path.join(folder.path, 'node_modules') : folder.path;
}

/** The package with its native part, in the staging folder; gives its folder there. */
async function makePackage(
  plan: SetupPlan,
  attempt: SetupAttempt,
  facts: SetupFacts,
  staging: string,
  tools: SetupTools,
): Promise<string> {
  const { run, signal, surroundings, say } = tools;
  const npmScript = findNpmScript(surroundings);
  if (npmScript === null) throw new SetupError('unavailable', 'npm was not found.');
  const npm = { run, signal, nodePath: surroundings.nodePath, npmScript };
  const project = path.join(staging, 'project');
  const modules = path.join(project, 'node_modules');
  const packageFolder = path.join(modules, plan.packageName);
  say(`Getting ${plan.packageName} ${plan.version} with npm, without its install script.`);
  await installWithNpm(plan.packageName, plan.version, project, facts.folder.path, npm);

  if (attempt.source === 'stock') {
    say("Downloading the stock binary (TensorFlow 2.9.1) with the package's own script.");
    const where = { run, nodePath: surroundings.nodePath, platform: facts.platform };
    await watched(staging, tools, (watch) =>
      installStock(plan.packageName, packageFolder, modules, { ...where, signal: watch }),
    );
    return packageFolder;
  }
  const { python, compiler } = facts;
  if (python === null || compiler === null || attempt.pipPackage === null) {
    throw new SetupError(
      'unavailable',
      'Python, its pip and a C++ compiler are needed to build against a TensorFlow from pip.',
    );
  }
  say(
    `Downloading ${attempt.pipPackage} with pip${attempt.withCuda ? ', and the CUDA libraries it names (several GB)' : ''}.`,
  );
  const deps = path.join(packageFolder, 'deps');
  const { pipPackage, withCuda } = attempt;
  const pip = {
    run,
    python: python.command,
    downloads: path.join(staging, 'downloads'),
    arch: facts.arch,
    say,
  };
  const tensorflow = await watched(staging, tools, (watch) =>
    getTensorflow(pipPackage, withCuda, deps, { ...pip, signal: watch }),
  );
  let nodeHeaders = findNodeHeaders(surroundings);
  if (nodeHeaders === null) {
    const headers = path.join(staging, 'headers');
    await installWithNpm(headersPackage.name, headersPackage.version, headers, facts.folder.path, npm);
    nodeHeaders = path.join(headers, 'node_modules', headersPackage.name, 'include');
  }
  say(`Compiling the package's binding against TensorFlow ${tensorflow.version}.`);
  await compileBinding(packageFolder, tensorflow.cudaFolders, {
    run,
    signal,
    compiler: compiler.command,
    nodeHeaders,
  });
  // The headers have done their work; the libraries are what takes part from now on.
  rmSync(path.join(deps, 'include'), { recursive: true });
  return packageFolder;
}

/** Says how a download goes on, and gives it up when nothing comes any more. */
async function watched<T>(
  staging: string,
  tools: SetupTools,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const times = { everyMs: 10_000, stalledAfterMs: 3 * 60_000 };
  const say = (bytes: number) => tools.say(`  ${Math.round(bytes / 1e6)} MB so far`);
  try {
    return await whileGrowing(staging, tools.signal, times, say, work);
  } catch (error) {
    if (error instanceof StalledError)
      throw new SetupError('unavailable', `The download was given up: ${error.message}.`);
    throw error;
  }
}

function putIntoPlace(
  plan: SetupPlan,
  facts: SetupFacts,
  staging: string,
  packageFolder: string,
  undo: Undo,
): void {
  const folder = facts.folder.path;
  const modules = path.join(folder, 'node_modules');
  const aside = path.join(staging, 'before');
  const project = path.join(staging, 'project');
  if (plan.layout === 'nativePart' && facts.present.state !== 'absent') {
    for (const part of ['deps', 'lib']) {
      undo.moveIn(
        path.join(packageFolder, part),
        path.join(facts.present.packageFolder, part),
        path.join(aside, part),
      );
    }
  } else if (plan.layout === 'inside') {
    gatherDependencies(path.join(project, 'node_modules'), plan.packageName, modules);
    const target = path.join(modules, plan.packageName);
    undo.makeFolder(path.dirname(target));
    undo.moveIn(packageFolder, target, path.join(aside, 'package'));
  } else {
    for (const name of ['node_modules', 'package-lock.json', 'package.json']) {
      const [made, target] = [path.join(project, name), path.join(folder, name)];
      if (existsSync(made) && !existsSync(target)) undo.moveIn(made, target, path.join(aside, name));
    }
  }
}
