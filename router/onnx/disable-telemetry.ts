import { isMainThread } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';

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
