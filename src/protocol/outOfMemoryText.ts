// How memory running out reads, in messages of TensorFlow, WebGPU, WASM and Node: shared by the child (errors) and its supervisor (stderr).

/**
 * Texts that mean "there was not enough memory", each met in a real run or in the source of what prints it.
 * A text is added only when it cannot mean anything else: a bug must never be taken for an out-of-memory.
 */
const outOfMemoryTexts: readonly RegExp[] = [
  // TensorFlow: status 8 is RESOURCE_EXHAUSTED (tsl/protobuf/error_codes.proto).
  /Invalid TF_Status: 8\b/,
  /OOM when allocating tensor/i,
  /RESOURCE_EXHAUSTED/,
  // cuDNN finds no algorithm, or no handle, when there is no room left for its workspace.
  /No algorithm worked/i,
  /Failed to get convolution algorithm/i,
  /CUDNN_STATUS_ALLOC_FAILED|CUBLAS_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED/,
  // oneDNN, inside TensorFlow on the CPU: status 1 is dnnl_out_of_memory (oneapi/dnnl/dnnl_common_types.h).
  /received an exception:\s*Status: 1\b/,
  // C++ and the C library.
  /std::bad_alloc/,
  /Cannot allocate memory/i,
  // Node and V8: buffers, then the heap.
  /Array buffer allocation failed/i,
  /JavaScript heap out of memory/i,
  /Reached heap limit/,
  /Fatal process out of memory/i,
  // WebAssembly (emscripten's abort, and V8's refusal to grow a memory).
  /Cannot enlarge memory/i,
  /Aborted\(OOM\)/i,
  /WebAssembly\.Memory(?:\.grow)?\(\):.*(?:exceeded|could not allocate|out of memory)/i,
  // WebGPU (Dawn), and Vulkan below it.
  /VK_ERROR_OUT_OF_(?:DEVICE|HOST)_MEMORY/,
  /GPUOutOfMemoryError/,
  /createBuffer failed, size \(\d+\) is too large/i,
  /Buffer size \(\d+\) exceeds the max buffer size limit/i,
  /(?:binding size|size) \(?\d+\)? .*(?:maxStorageBufferBindingSize|maximum storage buffer binding size)/i,
  /\bout of (?:device |GPU )?memory\b/i,
  /not enough memory/i,
];

/** A typed array that JavaScript refuses for its size; a negative or absent length is a bug instead. */
const refusedLength = /Invalid (?:typed )?array(?: buffer)? length: (\d+)/i;
/** Lengths from here on are refused for memory's sake (V8's limit lies between 2^31 and 2^33 elements). */
const hugeLength = 2 ** 31;

/** TensorFlow tells so of an allocation that it then does in another way. */
const harmless = /not a failure, but may mean/i;

/** Whether a message or a piece of stderr says that memory ran out. */
export function saysOutOfMemory(text: string): boolean {
  return outOfMemoryLine(text) !== null;
}

/** The first line of a text that says that memory ran out, for a person to read; null where none does. */
export function outOfMemoryLine(text: string): string | null {
  return text.split(/\r?\n/).find(lineSaysIt)?.trim() ?? null;
}

function lineSaysIt(line: string): boolean {
  if (harmless.test(line)) return false;
  if (outOfMemoryTexts.some((pattern) => pattern.test(line))) return true;
  const length = refusedLength.exec(line)?.[1];
  return length !== undefined && Number(length) >= hugeLength;
}
