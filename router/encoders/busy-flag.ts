/**
 * One shared number that says "this thread is inside native code". onnxruntime-node aborts the whole process where its
 * thread is ended while it loads or runs a model, and process.exit() ends every thread: so whoever leaves looks here first.
 */
export type BusyFlag = Int32Array<SharedArrayBuffer>;

export function createBusyFlag(): BusyFlag {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

export function raise(flag: BusyFlag): void {
  Atomics.store(flag, 0, 1);
}

export function lower(flag: BusyFlag): void {
  Atomics.store(flag, 0, 0);
  Atomics.notify(flag, 0);
}

/** Blocks the calling thread until the flag is down, but no longer than `timeoutMs`. */
export function waitUntilLowered(flag: BusyFlag, timeoutMs: number): void {
  Atomics.wait(flag, 0, 1, timeoutMs);
}
