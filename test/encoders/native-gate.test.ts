import { expect, it } from 'vitest';
import { closeGate, createNativeGate, insideNative } from '../../router/encoders/encoder-thread.ts';

const LONG_MS = 60_000;

it('lets native code run, and nobody who leaves waits for what has ended, however it ended', async () => {
  const gate = createNativeGate();
  expect(await insideNative(gate, async () => 7)).toBe(7);
  await expect(insideNative(gate, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  const startedMs = Date.now();
  closeGate(gate, LONG_MS);
  expect(Date.now() - startedMs).toBeLessThan(LONG_MS);
});

it('is closed before a thread is ended: then no native code begins', async () => {
  const gate = createNativeGate();
  closeGate(gate, LONG_MS);
  let ran = false;
  const late = insideNative(gate, async () => {
    ran = true;
  });
  await expect(late).rejects.toMatchObject({ name: 'PlimsollError', code: 'internal' });
  expect(ran).toBe(false);
});

it('waits for native code that runs, as long as it is told to', async () => {
  const gate = createNativeGate();
  let finish = () => {};
  const running = insideNative(gate, () => new Promise<void>((resolve) => (finish = resolve)));
  const before = performance.now();
  closeGate(gate, 30);
  expect(performance.now() - before).toBeGreaterThan(25);
  finish();
  await running;
});
