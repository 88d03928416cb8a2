import { parentPort, workerData } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';
import type { Encoder } from './encoder.ts';
import { insideNative, type ThreadData, type ThreadedSpec, type ThreadMessage } from './encoder-thread.ts';

/** The program of an encoder's thread: load one model, then reply to each text with its vector. */
const { spec, gate } = workerData as ThreadData;
const port = parentPort!;

try {
  const encoder = await loadEncoder(spec);
  port.on('message', async (text: string) => {
    const message = await embedded(text, encoder);
    port.postMessage(message, message.kind === 'vector' ? [message.vector.buffer] : []);
  });
  port.postMessage({ kind: 'ready', identity: encoder.identity } satisfies ThreadMessage);
} catch (error) {
  port.postMessage(failure(error));
}

/** Only here are the native runtimes loaded: the main thread never loads them for an encoder. */
async function loadEncoder(wanted: ThreadedSpec): Promise<Encoder> {
  if (wanted.id === 'minilm') {
    const { openMinilmSession } = await import('./minilm-session.ts');
    return insideNative(gate, openMinilmSession);
  }
  const { openTransformersSession } = await import('./transformers-session.ts');
  return insideNative(gate, () => openTransformersSession(wanted));
}

async function embedded(text: string, encoder: Encoder): Promise<ThreadMessage> {
  try {
    const vector = await insideNative(gate, () => encoder.embed(text));
    return { kind: 'vector', vector: vector as Float32Array<ArrayBuffer> };
  } catch (error) {
    return failure(error);
  }
}

/** The class of an error does not survive the way between threads; its code and message do. */
function failure(error: unknown): ThreadMessage {
  if (error instanceof PlimsollError) return { kind: 'failed', code: error.code, message: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', code: 'internal', message: `The ${spec.id} encoder failed: ${reason}` };
}
