import { expect, test } from 'vitest';
import { type AbortSignalLike, LightAbortSignal } from '../../router/abort-signal.ts';

const MAKERS: readonly [string, () => { signal: AbortSignalLike; abort(reason: unknown): void }][] = [
  [
    'AbortController',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
    },
  ],
  [
    'LightAbortSignal',
    () => {
      const signal = new LightAbortSignal();
      return { signal, abort: (reason) => signal.abort(reason) };
    },
  ],
];

test.each(MAKERS)('%s: calls each listener once, and none that was removed or came late', (_, make) => {
  const { signal, abort } = make();
  const called: string[] = [];
  const leaves = () => called.push('leaves');
  signal.addEventListener('abort', () => called.push('stays'));
  signal.addEventListener('abort', leaves);
  signal.removeEventListener('abort', leaves);
  expect(signal.aborted).toBe(false);
  signal.throwIfAborted();
  abort('gone');
  abort('again');
  signal.addEventListener('abort', () => called.push('late'));
  expect(called).toEqual(['stays']);
  expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
  expect(() => signal.throwIfAborted()).toThrow('gone');
});
