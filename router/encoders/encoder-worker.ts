import { parentPort, workerData } from 'node:worker_threads';
import { PlimsollError } from '../errors.ts';
import type { Encoder } from './encoder.ts';
import type { ThreadData, ThreadedSpec, ThreadMessage } from './encoder-thread.ts';
import { lower } from './encoder-thread.ts';

/** The program of an encoder's thread: load one model, then reply to each text with its vector. The pool raised the flag. */
const { spec, busy } = workerData as ThreadData;
const port = parentPort!;

try {
  const encoder = await loadEncoder(spec);
  port.on('message', async (text: string) => {
    const message = await embedded(text, encoder);
    lower(busy);
    port.postMessage(message, message.kind === 'vector' ? [message.vector.buffer] : []);
  });
  port.postMessage({ kind: 'ready', identity: encoder.identity } satisfies ThreadMessage);
} catch (error) {
  port.postMessage(failure(error));
} finally {
  lower(busy);
}

/** Only here are the native runtimes imported: the main thread never loads them for an encoder. */
async function loadEncoder(wanted: ThreadedSpec): Promise<Encoder> {
  if (wanted.id === 'minilm') return (await import('./minilm-session.ts')).openMinilmSession();
  return (await import('./transformers-session.ts')).openTransformersSession(wanted);
}

async function embedded(text: string, encoder: Encoder): Promise<ThreadMessage> {
  try {
    const vector = await encoder.embed(text);
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
