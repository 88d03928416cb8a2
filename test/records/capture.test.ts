import { expect, onTestFinished, test } from 'vitest';
import { captureSchema } from '../../router/config/capture-schema.ts';
import { PlimsollError } from '../../router/errors.ts';
import { MemoryBudget } from '../../router/memory-budget.ts';
import { openCapture } from '../../router/records/index.ts';
import { type LogRecord, openState } from '../../router/state/index.ts';
import { facts } from './facts.ts';

/** Capture into a memory state whose log fails as long as it is told to. */
async function opened(changes: object = {}) {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const log = { ...state.log };
  let away = false;
  log.append = async (stream: string, records: readonly LogRecord[]) => {
    if (away) throw new PlimsollError('state-unavailable', 'The database cannot be reached.');
    return state.log.append(stream, records);
  };
  const failures: unknown[] = [];
  const capture = await openCapture({
    options: captureSchema.parse({ share: 1, ...changes }),
    log,
    onFailure: (trouble) => failures.push(trouble),
  });
  onTestFinished(() => capture.close());
  const request = (content: string, memory = new MemoryBudget(2 ** 24).share()) => {
    const body = { model: 'auto', messages: [{ role: 'user', content }] };
    return {
      dialect: 'openai' as const,
      body,
      bodyText: JSON.stringify(body),
      memory,
      decision: undefined,
      profile: undefined,
    };
  };
  return {
    capture,
    state,
    failures,
    request,
    setAway(isAway: boolean) {
      away = isAway;
    },
  };
}

const replied = (id: string) => facts({ id, stream: false });
const REPLY = Buffer.from(
  JSON.stringify({ choices: [{ message: { content: 'Yes.' }, finish_reason: 'stop' }] }),
);

test('while the state is away capture pauses, and what was drawn is stored when it is back', async () => {
  const { capture, state, failures, request, setAway } = await opened();
  setAway(true);
  capture.draw(request('First.'))?.end(replied('dec_1'));
  await expect.poll(capture.failing, { timeout: 20_000 }).toBe(true); // the thread takes seconds to start on a busy machine
  expect(capture.draw(request('Second.'))).toBeUndefined();
  expect(capture.counts()).toMatchObject({ stored: 0, paused: 1 });
  setAway(false);
  await expect.poll(() => capture.counts().stored, { timeout: 30_000 }).toBe(1);
  capture.draw(request('Third.'))?.end(replied('dec_3'));
  await capture.close();
  const stored = await state.log.read('captured', { afterSeq: 0, limit: 9 });
  expect(stored.map(({ id }) => id)).toEqual(['dec_1', 'dec_3']);
  expect(failures).toHaveLength(1);
});

test('a reply is held within its bounds: a long one, and one without memory, is kept without its words', async () => {
  const { capture, state, request } = await opened();
  const tooLong = capture.draw(request('Long.'));
  for (let n = 0; n < 20; n++) tooLong?.hold(Buffer.alloc(100_000));
  tooLong?.end(replied('dec_long'));
  const poor = capture.draw(request('Poor.', new MemoryBudget(10).share()));
  poor?.hold(REPLY);
  poor?.end(replied('dec_poor'));
  const whole = capture.draw(request('Whole.'));
  whole?.hold(REPLY);
  whole?.end(replied('dec_whole'));
  const broken = capture.draw(request('Broken.'));
  broken?.hold(REPLY);
  broken?.end(facts({ id: 'dec_broken', ended: 'broken' }));
  await capture.close();
  const stored = await state.log.read('captured', { afterSeq: 0, limit: 9 });
  const replies = stored.map(({ body, text }) => [JSON.parse(body).reply, JSON.parse(text ?? '').reply]);
  const numbers = expect.objectContaining({
    outputTokens: expect.any(Number),
    latencyMs: expect.any(Number),
  });
  expect(replies).toEqual([
    [numbers, {}],
    [numbers, {}],
    [numbers, { text: 'Yes.' }],
    [undefined, undefined],
  ]);
});

test('what no model replied to is counted and not kept', async () => {
  const { capture, request } = await opened();
  capture.draw(request('Refused.'))?.end(facts({ status: 400, served: undefined }));
  expect(capture.counts()).toMatchObject({ 'no-reply': 1, stored: 0 });
});

test('too much that waits is dropped and counted: nobody waits', async () => {
  const { capture, request } = await opened({ max_bytes: 16 * 2 ** 20 });
  for (let n = 0; n < 30; n++) capture.draw(request('x'.repeat(1_000_000)))?.end(replied(`dec_${n}`));
  expect(capture.counts().dropped).toBe(14);
});
