import { afterEach, expect, test, vi } from 'vitest';
import {
  batchGateway,
  CHAT,
  chatLines,
  created,
  ended,
  fakeTime,
  resultLines,
  uploaded,
} from './batch-gateway.ts';

afterEach(() => {
  vi.useRealTimers();
});

const START = '10:00:30';
const NEXT_DAY = 1;
const TWO_A_MONTH = [{ windows: [{ month: '2 requests' as const }] }];

function setTime(clock: string) {
  vi.setSystemTime(fakeTime(clock, NEXT_DAY));
}

test('after 24 hours what was not sent is in the error file', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: fakeTime(START) });
  const limits = [{ windows: [{ month: '2 requests' as const }] }];
  const { openai, first } = await batchGateway({}, { config: { limits } });
  const batch = await created(openai, chatLines(5));
  await vi.waitFor(() => expect(first.requests.length).toBe(2), { timeout: 20_000 });
  setTime('10:00:31');
  const done = await ended(openai, batch.id);
  expect(done).toMatchObject({ status: 'expired', request_counts: { total: 5, completed: 2, failed: 3 } });
  const unanswered = await resultLines(openai, done.error_file_id);
  expect(unanswered.map(({ response, error }) => [response, error!.code])).toEqual(
    Array.from({ length: 3 }, () => [null, 'batch_expired']),
  );
  expect(await resultLines(openai, done.output_file_id)).toHaveLength(2);
});

test('it is completed if it expires while the last line is at work', async () => {
  // Time goes on: a try that fails on a busy machine is made again.
  vi.useFakeTimers({ toFake: ['Date'], now: fakeTime(START), shouldAdvanceTime: true });
  const timeouts = { connect_ms: 10_000, first_byte_ms: 15_000, idle_ms: 5_000, total_ms: 20_000 };
  const { openai, first } = await batchGateway(
    { hours: { from: '09:00', to: '10:00' } },
    { upstream: { delayMs: 8_000 }, config: { upstream: { timeouts } } },
  );
  const batch = await created(openai, chatLines(1));
  setTime('09:59:30');
  await vi.waitFor(() => expect(first.requests.length).toBeGreaterThan(0), { timeout: 20_000 });
  for (const time of ['09:59:45', '09:59:58', '10:00:11', '10:00:24', '10:00:31']) {
    setTime(time);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // its lease is renewed once a second
  }
  expect(await ended(openai, batch.id)).toMatchObject({
    status: 'completed',
    error_file_id: null,
    request_counts: { total: 1, completed: 1, failed: 0 },
  });
});

test('without its input it still says how many lines were not answered', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: fakeTime(START) });
  const { openai, first, gateway } = await batchGateway({}, { config: { limits: TWO_A_MONTH } });
  const batch = await created(openai, chatLines(5));
  await vi.waitFor(() => expect(first.requests.length).toBe(2), { timeout: 20_000 });
  await gateway.state!.documents.delete({ scope: '', kind: 'batch-file', id: batch.input_file_id });
  setTime('10:00:31');
  const done = await ended(openai, batch.id);
  expect(done).toMatchObject({ status: 'expired', request_counts: { total: 5, completed: 2, failed: 3 } });
  const unanswered = await resultLines(openai, done.error_file_id);
  expect(unanswered.map(({ custom_id, error }) => [custom_id, error!.code])).toEqual(
    Array.from({ length: 3 }, () => [null, 'batch_expired']),
  );
});

test('a batch goes on with a file that expires meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: fakeTime(START) });
  const { openai } = await batchGateway({ keep_days: 1, hours: { from: '11:00', to: '12:00' } });
  const { id } = await uploaded(openai, chatLines(3));
  setTime('10:00:00');
  const batch = await openai.batches.create({ input_file_id: id, endpoint: CHAT, completion_window: '24h' });
  setTime('11:00:00');
  await expect(openai.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
  expect((await ended(openai, batch.id)).request_counts!.completed).toBe(3);
});

test('cancelled before its first line, it has none, and no more can be cancelled', async () => {
  const { openai, first } = await batchGateway({ hours: hoursFromNow() });
  const batch = await created(openai, chatLines(5));
  const cancelling = await openai.batches.cancel(batch.id);
  expect(cancelling.status).toBe('cancelling');
  const done = await ended(openai, batch.id);
  expect(done).toMatchObject({
    status: 'cancelled',
    output_file_id: null,
    request_counts: { total: 5, completed: 0, failed: 0 },
  });
  expect(first.requests).toHaveLength(0);
  await expect(openai.batches.cancel(batch.id)).rejects.toMatchObject({ status: 409, code: 'conflict' });
});

/** An hour that begins in six. */
function hoursFromNow() {
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  return { from: at(6), to: at(7) };
}

test('a line at work is reserved under the model whose price it is', async () => {
  const { openai, first, gateway } = await batchGateway({}, { upstream: { delayMs: 900 } });
  const batch = await created(openai, chatLines(12));
  await vi.waitFor(() => expect(first.requests.length).toBe(12), { timeout: 20_000 });
  expect(first.requests.some(({ body }) => JSON.stringify(body).includes('small'))).toBe(true);
  const reserved = await gateway.state!.ledger.spentByIdPrefix(`${batch.id}/`);
  expect(reserved.map(({ model }) => model)).toEqual(['first/large']);
});
