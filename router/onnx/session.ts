import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type * as ort from 'onnxruntime-node';
import { PlimsollError } from '../errors.ts';

export type Session = ort.InferenceSession;
export type Tensor = ort.Tensor;

let loaded: typeof ort | undefined;

/** The native runtime takes a tenth of a second to load, so only what runs a graph loads it. The switch below is set by then. */
function runtime(): typeof ort {
  loaded ??= createRequire(import.meta.url)('onnxruntime-node') as typeof ort;
  return loaded;
}

export function tensor(
  type: 'float32' | 'int32' | 'int64',
  values: Float32Array | Int32Array | BigInt64Array,
  dims: readonly number[],
): Tensor {
  return new (runtime().Tensor)(type, values as Float32Array, dims);
}

interface SessionOptions {
  /** Threads of one run. 1 by default: a run that blocks its caller should not take the other cores too. 0: all cores. */
  readonly threads?: number;
}

/** How a session runs; transformers.js takes the same words. */
export function sessionOptions(threads: number) {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  } as const;
}

/** @throws PlimsollError `invalid-artifact` if onnxruntime cannot load the bytes; `invalid-config` as requireTelemetryDisabled throws it. */
export async function openSession(bytes: Uint8Array, { threads = 1 }: SessionOptions = {}): Promise<Session> {
  requireTelemetryDisabled();
  try {
    return await runtime().InferenceSession.create(bytes, sessionOptions(threads));
  } catch (cause) {
    throw new PlimsollError('invalid-artifact', 'onnxruntime cannot load the ONNX file.', { cause });
  }
}

/**
 * onnxruntime 1.30 reports usage to Microsoft unless this variable is 1 in the environment of the process when its first session is
 * made. It looks up a host, writes a device id and a database below the home folder, and a log into the temporary folder.
 */
const SWITCH = 'ORT_DISABLE_TELEMETRY';

// Importing this file is enough: it must run before onnxruntime makes its environment, in whichever thread that happens.
if (isMainThread) process.env[SWITCH] = '1';

/**
 * Call before a session is made.
 * @throws PlimsollError `invalid-config` in a worker thread whose process did not switch telemetry off. Native code reads the environment
 *   of the process, and a thread can only change its own copy.
 */
export function requireTelemetryDisabled(): void {
  if (process.env[SWITCH] === '1') return;
  throw new PlimsollError(
    'invalid-config',
    `onnxruntime would send telemetry from this worker thread, and a thread cannot switch that off. Set ${SWITCH}=1 in the environment of the process, or import plimsoll in the main thread before the worker starts.`,
  );
}
