// Takes out of Python wheels the few files that are needed, with Python's own zip reader, which is there where pip is.
import * as z from 'zod';
import { lastWords, type RunCommand } from './command';
import { SetupError } from './types';

/** What a wheel says of itself. */
const extracted = z.object({
  version: z.string(),
  requires: z.array(z.string()),
  files: z.array(z.string()),
});
export type ExtractedWheel = z.infer<typeof extracted>;

/** Reads `{ wheel, rules: [[pattern, replacement]] }` on stdin; a file whose name matches goes to the place that results. */
const script = `
import json, os, re, shutil, sys, zipfile
job = json.load(sys.stdin)
rules = [(re.compile(pattern), place) for pattern, place in job["rules"]]
answer = {"version": "", "requires": [], "files": []}
with zipfile.ZipFile(job["wheel"]) as wheel:
    for info in wheel.infolist():
        name = info.filename
        if re.fullmatch(r"[^/]+\\.dist-info/METADATA", name):
            head = wheel.read(info).decode("utf-8").split("\\n\\n")[0]
            for line in head.splitlines():
                if line.startswith("Version: "): answer["version"] = line[9:].strip()
                if line.startswith("Requires-Dist: "): answer["requires"].append(line[15:].strip())
        if info.is_dir() or ".." in name.split("/"): continue
        for pattern, place in rules:
            if pattern.fullmatch(name) is None: continue
            target = pattern.sub(place, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with wheel.open(info) as source, open(target, "wb") as sink: shutil.copyfileobj(source, sink, 1 << 20)
            answer["files"].append(target)
            break
print(json.dumps(answer))
`;

/**
 * Takes files out of a wheel. Each rule is a regular expression of Python for the whole name in the wheel, and the absolute place
 * (with \\1 for a group) of the file; the first that matches counts.
 * @throws SetupError (broken) where the wheel cannot be read or written out
 */
export async function extractWheel(
  wheel: string,
  rules: readonly (readonly [pattern: string, place: string])[],
  tools: { readonly run: RunCommand; readonly signal: AbortSignal; readonly python: string },
): Promise<ExtractedWheel> {
  const input = JSON.stringify({ wheel, rules });
  const result = await tools.run(tools.python, ['-c', script], { input, signal: tools.signal });
  if (result.code !== 0)
    throw new SetupError('broken', `${wheel} could not be unpacked: ${lastWords(result, 1)}`);
  return extracted.parse(JSON.parse(result.stdout));
}
