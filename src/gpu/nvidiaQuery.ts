// Asks nvidia-smi itself: tries each place where it may be, and fewer fields where a driver does not know them all.
import { runTool, type ToolResult } from './runTool';
import { parseMigList, parseMigMemory, withInstances } from './nvidiaMig';
import { permissionMessage, problemOf, refusesField, saysNoDevices } from './nvidiaProblem';
import { parseQuery, queryArguments, queryFieldLists, type NvidiaGpu, type ParsedQuery } from './nvidiaSmi';
import type { GpuProblem } from './types';

/** `answered`: nvidia-smi works, so its list of NVIDIA GPUs is the whole truth, even when it is empty. */
export interface NvidiaAnswer {
  readonly answered: boolean;
  readonly gpus: NvidiaGpu[];
  readonly problems: GpuProblem[];
}

export interface NvidiaQueryOptions {
  /** Names or paths of nvidia-smi, in the order in which they are tried. */
  readonly programs: readonly string[];
  /** For each single call, in ms. */
  readonly timeoutMs: number;
  readonly run?: (program: string, args: readonly string[], timeoutMs: number) => Promise<ToolResult>;
}

/** The NVIDIA GPUs. Where no nvidia-smi is found there is neither a GPU nor a problem. */
export async function queryNvidia(options: NvidiaQueryOptions): Promise<NvidiaAnswer> {
  const { programs, timeoutMs, run = runTool } = options;
  let failure: GpuProblem | null = null;
  for (const program of programs) {
    const answer = await queryProgram((args) => run(program, args, timeoutMs), timeoutMs);
    if (answer === 'missing') continue;
    if (answer.answered) return answer;
    // Another copy may match the driver: a distribution's own nvidia-smi in WSL2 fails where the mounted one works.
    failure ??= answer.problems[0] ?? null;
    // A driver that hangs does so for every copy; asking each would only multiply the wait.
    if (failure?.kind === 'timeout') break;
  }
  return { answered: false, gpus: [], problems: failure === null ? [] : [failure] };
}

type Run = (args: readonly string[]) => Promise<ToolResult>;

async function queryProgram(run: Run, timeoutMs: number): Promise<NvidiaAnswer | 'missing'> {
  for (const [attempt, fields] of queryFieldLists.entries()) {
    const result = await run(queryArguments(fields));
    if (result.kind === 'missing') return 'missing';
    if (result.kind === 'timeout') return failed(timeoutProblem(timeoutMs));
    const said = `${result.stdout}\n${result.stderr}`;
    if (refusesField(said) && attempt + 1 < queryFieldLists.length) continue;
    if (saysNoDevices(said)) return { answered: true, gpus: [], problems: [] };
    const parsed = parseQuery(result.stdout, fields);
    if (parsed.gpus.length === 0) return failed(problemOf(said, result.code));
    return { answered: true, ...(await completed(run, parsed, said, result.code)) };
  }
  return failed(problemOf('', null));
}

/** Adds MIG instances, and says what the answer lacks. */
async function completed(
  run: Run,
  parsed: ParsedQuery,
  said: string,
  code: number | null,
): Promise<{ gpus: NvidiaGpu[]; problems: GpuProblem[] }> {
  const problems: GpuProblem[] = [];
  if (parsed.permissionMissing) problems.push({ kind: 'noPermission', message: permissionMessage });
  if (parsed.unreadLines.length > 0) problems.push(problemOf(parsed.unreadLines.join('\n'), code));
  else if (code !== 0) problems.push(problemOf(withoutGpuLines(said, parsed), code));
  if (!parsed.gpus.some((gpu) => gpu.mig?.enabled === true)) return { gpus: parsed.gpus, problems };

  const [list, details] = await Promise.all([run(['-L']), run(['-q', '-x'])]);
  if (list.kind !== 'ended') {
    problems.push({
      kind: 'toolFailed',
      message: 'nvidia-smi did not list the MIG instances; they are not shown.',
    });
    return { gpus: parsed.gpus, problems };
  }
  const memory = parseMigMemory(details.kind === 'ended' ? details.stdout : '');
  return { gpus: withInstances(parsed.gpus, parseMigList(list.stdout), memory), problems };
}

/** A non-zero exit although every line of stdout is a GPU: the reason, if any, is on stderr. */
function withoutGpuLines(said: string, parsed: ParsedQuery): string {
  return said
    .split('\n')
    .filter((line) => !parsed.gpus.some((gpu) => gpu.uuid !== null && line.includes(gpu.uuid)))
    .join('\n');
}

function failed(problem: GpuProblem): NvidiaAnswer {
  return { answered: false, gpus: [], problems: [problem] };
}

function timeoutProblem(timeoutMs: number): GpuProblem {
  return {
    kind: 'timeout',
    message: `nvidia-smi did not answer within ${Math.round(timeoutMs / 1000)} s; the NVIDIA driver may hang.`,
  };
}
