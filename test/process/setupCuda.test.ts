// That CUDA's libraries in `deps` are found when TensorFlow opens them by name. There is no GPU and no CUDA build of TensorFlow here:
// small libraries of the same names and layout stand in for both, compiled and linked with the setup's own arguments.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileBinding } from '../../src/supervise/tensorflowSetup/compile';
import { runCommand } from '../../src/supervise/tensorflowSetup/command';
import {
  findNodeHeaders,
  findOnPath,
  ownSurroundings,
} from '../../src/supervise/tensorflowSetup/executables';

const compiler = findOnPath(['g++', 'c++'], ownSurroundings());
const nodeHeaders = findNodeHeaders(ownSurroundings());
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'batch-planner-cuda-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Opens a library as TensorFlow does, and tells whether its function, which needs a second library, could be called. */
const opener = `
#include <dlfcn.h>
extern "C" int open_cuda() {
  void* library = dlopen("libcufft.so.11", RTLD_LAZY);
  if (library == nullptr) return -1;
  return reinterpret_cast<int (*)()>(dlsym(library, "cufft_answer"))();
}
`;
const binding = `
#include <node_api.h>
extern "C" int open_cuda();
napi_value Init(napi_env env, napi_value exports) {
  napi_value answer;
  napi_create_int32(env, open_cuda(), &answer);
  napi_set_named_property(env, exports, "answer", answer);
  return exports;
}
NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
`;

describe("CUDA's libraries", () => {
  it.for([
    // TensorFlow's own run path: none, its own folder (as in the wheel for CPUs), or elsewhere.
    { name: 'no run path', flags: [] },
    { name: 'its own folder', flags: ['-Wl,--enable-new-dtags', '-Wl,-rpath,$ORIGIN/'] },
    {
      name: 'a folder that is not there',
      flags: ['-Wl,--enable-new-dtags', '-Wl,-rpath,$ORIGIN/../../nvidia/cufft/lib'],
    },
  ])('are found, with those they need, where TensorFlow has $name', async ({ name, flags }, ctx) => {
    if (process.platform !== 'linux') return ctx.skip('building against pip is for Linux only');
    if (compiler === null || nodeHeaders === null)
      return ctx.skip('no C++ compiler, or no headers beside Node.js');
    const home = path.join(folder, name);
    const write = (file: string, text: string) => {
      mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
      writeFileSync(path.join(home, file), text);
      return path.join(home, file);
    };
    const library = (file: string, source: string, ...more: string[]) => {
      const target = path.join(home, file);
      mkdirSync(path.dirname(target), { recursive: true });
      const soname = `-Wl,-soname,${path.basename(file)}`;
      execFileSync(compiler, [
        '-shared',
        '-fPIC',
        write(`${file}.cc`, source),
        soname,
        '-o',
        target,
        ...more,
      ]);
      return target;
    };
    // As NVIDIA's wheels: a library finds its neighbour by a path relative to its own folder.
    const neighbour = library(
      'deps/nvidia/nvjitlink/lib/libnvJitLink.so.12',
      'extern "C" int neighbour() { return 42; }',
    );
    const useOfNeighbour =
      'extern "C" int neighbour(); extern "C" int cufft_answer() { return neighbour(); }';
    const cufft = 'deps/nvidia/cufft/lib/libcufft.so.11';
    library(
      cufft,
      useOfNeighbour,
      neighbour,
      '-Wl,--enable-new-dtags',
      '-Wl,-rpath,$ORIGIN/../../nvjitlink/lib',
    );
    library('deps/lib/libtensorflow_framework.so', opener, '-ldl', ...flags);
    library('deps/lib/libtensorflow.so', '');
    write('binding/tfjs_binding.cc', binding);
    mkdirSync(path.join(home, 'deps/include'), { recursive: true });
    const manifest = {
      module_name: 'tfjs_binding',
      module_path: './lib/napi-v{napi_build_version}',
      napi_versions: [8],
    };
    write('package.json', JSON.stringify({ version: '4.22.0', binary: manifest }));

    const cudaFolders = ['cufft', 'nvjitlink'].map((part) => path.join(home, 'deps/nvidia', part, 'lib'));
    const signal = new AbortController().signal;
    await compileBinding(home, cudaFolders, { run: runCommand, signal, compiler, nodeHeaders });
    const ask = `console.log(require(${JSON.stringify(path.join(home, 'lib/napi-v8/tfjs_binding.node'))}).answer)`;
    const result = spawnSync(process.execPath, ['-e', ask], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.stdout.trim()).toBe('42');
  });
});
