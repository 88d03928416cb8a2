import { expect, test } from 'vitest';
import { type Cancellation, Canceller } from '../../router/cancellation.ts';

const MAKERS: readonly [string, () => { signal: Cancellation; abort(reason: unknown): void }][] = [
  [
    'AbortController',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
    },
  ],
  [
    'Canceller',
    () => {
      const signal = new Canceller();
      return { signal, abort: (reason) => signal.abort(reason) };
    },
  ],
];

test.each(MAKERS)('%s: tells each listener once, and nobody who left or came late', (_, make) => {
  const { signal, abort } = make();
  const told: string[] = [];
  const leaves = () => told.push('leaves');
  signal.addEventListener('abort', () => told.push('stays'));
  signal.addEventListener('abort', leaves);
  signal.removeEventListener('abort', leaves);
  expect(signal.aborted).toBe(false);
  signal.throwIfAborted();
  abort('gone');
  abort('again');
  signal.addEventListener('abort', () => told.push('late'));
  expect(told).toEqual(['stays']);
  expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
  expect(() => signal.throwIfAborted()).toThrow('gone');
});
