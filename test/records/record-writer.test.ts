import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRecordWriter } from '../../router/records/record-writer.ts';

/** Longer than any test: what is written before was hurried. */
const GATHER_MS = 3_600_000;

function gathering() {
  const batches: number[][] = [];
  const writer = createRecordWriter<number>(
    {
      bytesOf: () => 1,
      append: async (batch) => void batches.push([...batch]),
      mayRetry: () => false,
      close: async () => {},
    },
    { onFailure: () => {}, gatherMs: GATHER_MS },
  );
  return { batches, writer };
}

test('records gather and are written together; a flush waits for no more of them', async () => {
  const { batches, writer } = gathering();
  writer.write(1);
  await setImmediate();
  writer.write(2);
  await setImmediate();
  expect(batches).toEqual([]);
  await writer.flush();
  expect(batches).toEqual([[1, 2]]);
  writer.write(3);
  await setImmediate();
  expect(batches).toHaveLength(1); // they gather again
  await writer.close();
  expect(batches).toEqual([[1, 2], [3]]);
  expect(writer.counts()).toEqual({ written: 3, dropped: 0 });
});

test('a full batch is written at once', async () => {
  const { batches, writer } = gathering();
  for (let i = 0; i < 500; i++) writer.write(i);
  await expect.poll(() => batches.map(({ length }) => length)).toEqual([500]);
  for (let i = 0; i < 499; i++) writer.write(i);
  await setImmediate();
  writer.write(499);
  await expect.poll(() => batches.map(({ length }) => length)).toEqual([500, 500]);
});

test('a flush does not wait for what is written in the meantime', async () => {
  let written = 0;
  const writer = createRecordWriter<number>(
    {
      bytesOf: () => 1,
      async append() {
        await setImmediate();
        if (++written < 1_000) writer.write(written);
      },
      mayRetry: () => false,
      close: async () => {},
    },
    { onFailure: () => {} },
  );
  writer.write(0);
  await writer.flush();
  expect(written).toBeLessThan(10);
  await writer.close();
});
