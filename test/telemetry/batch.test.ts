import { expect, test, vi } from 'vitest';
import { createBatch } from '../../router/telemetry/decision-metrics.ts';

function batchOf(maxItems: number, maxMs: number) {
  const told: number[][] = [];
  return { told, batch: createBatch<number>((items) => told.push([...items]), { maxItems, maxMs }) };
}

test('items are told together when enough wait, in order, each once', () => {
  const { told, batch } = batchOf(3, 60_000);
  for (const item of [1, 2, 3, 4]) batch.add(item);
  expect(told).toEqual([[1, 2, 3]]);
  batch.flush();
  batch.flush();
  expect(told).toEqual([[1, 2, 3], [4]]);
});

test('none waits longer than it may', async () => {
  const { told, batch } = batchOf(100, 20);
  batch.add(1);
  expect(told).toEqual([]);
  await vi.waitFor(() => expect(told).toEqual([[1]]), { timeout: 10_000 });
});
