import { createRequire } from 'node:module';
import type * as ort from 'onnxruntime-node';
import { PlimsollError } from '../errors.ts';
import { requireTelemetryDisabled } from './disable-telemetry.ts';

export type Session = ort.InferenceSession;
export type Tensor = ort.Tensor;

let loaded: typeof ort | undefined;

/** The native runtime takes a tenth of a second to load, so only what runs a graph loads it. disable-telemetry.ts has run by then. */
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

export interface SessionOptions {
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

/** @throws PlimsollError `invalid-artifact` if onnxruntime cannot load the bytes; `invalid-config` as in disable-telemetry.ts. */
export async function openSession(bytes: Uint8Array, { threads = 1 }: SessionOptions = {}): Promise<Session> {
  requireTelemetryDisabled();
  try {
    return await runtime().InferenceSession.create(bytes, sessionOptions(threads));
  } catch (cause) {
    throw new PlimsollError('invalid-artifact', 'onnxruntime cannot load the ONNX file.', { cause });
  }
}
