import './disable-telemetry.ts'; // runs before onnxruntime-node is loaded
import * as ort from 'onnxruntime-node';
import { PlimsollError } from '../errors.ts';
import { requireTelemetryDisabled } from './disable-telemetry.ts';

/** The only file that imports onnxruntime-node. */
export type Session = ort.InferenceSession;
export type Tensor = ort.Tensor;

export function tensor(
  type: 'float32' | 'int32' | 'int64',
  values: Float32Array | Int32Array | BigInt64Array,
  dims: readonly number[],
): Tensor {
  return new ort.Tensor(type, values as Float32Array, dims);
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
    return await ort.InferenceSession.create(bytes, sessionOptions(threads));
  } catch (cause) {
    throw new PlimsollError('invalid-artifact', 'onnxruntime cannot load the ONNX file.', { cause });
  }
}
