import { Worker } from 'node:worker_threads';
import type { StartThread } from '../../router/encoders/encoder-pool.ts';

/** A thread that speaks the protocol of encoder-thread without a model. What a text makes it do is in the text. */
const PROGRAM = `
const { parentPort, threadId, workerData: { load } } = require('node:worker_threads');
const say = (message) => parentPort.postMessage(message);
if (load === 'crash') throw new Error('could not start');
if (load === 'fail') say({ kind: 'failed', code: 'weights-missing', message: 'no weights' });
else {
  parentPort.on('message', async (text) => {
    if (text === 'crash') throw new Error('boom');
    if (text === 'exit') process.exit(0);
    if (text === 'fail') return say({ kind: 'failed', code: 'internal', message: 'no vector' });
    const [, ms] = /^wait (\\d+)/.exec(text) ?? [];
    if (ms) await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    say({ kind: 'vector', vector: Float32Array.of(text.length, threadId) });
  });
  const identity = { id: 'fake', sha256: '0'.repeat(64), pooling: 'mean', dimension: 2, maxTokens: null };
  say({ kind: 'ready', identity });
}`;

/** `loads`: how the first, second, ... thread loads; threads after those load well. */
export function fakeThreads(loads: ('well' | 'crash' | 'fail')[] = []): {
  start: StartThread;
  started: () => number;
} {
  let started = 0;
  const start: StartThread = () =>
    new Worker(PROGRAM, { eval: true, workerData: { load: loads[started++] ?? 'well' } });
  return { start, started: () => started };
}
