import { expect, test } from 'vitest';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callOf, KEY, rawServer, TIMEOUTS } from './native-attempt-calls.ts';

const ENV = { TEST_KEY: KEY };
const ATTEMPTS = { native: createNativeAttempt({ env: ENV }), mapped: createMappedAttempt({ env: ENV }) };
const PATIENT = { ...TIMEOUTS, totalMs: 20_000, firstByteMs: 20_000, idleMs: 20_000 };

/** A whole reply with something beside it that no client reads. */
function replying(extra: string): Promise<string> {
  const choice = '{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}';
  const body = `{"id":"x","created":1,"model":"m","choices":[${choice}],"extra":${extra}}`;
  return rawServer((socket) =>
    socket.once('data', () =>
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    ),
  );
}

test.each(['native', 'mapped'] as const)(
  '%s: a plain reply that would be expensive to parse is a failure; one that is only long is none',
  async (kind) => {
    const attempt = sendOnce(ATTEMPTS[kind]);
    const outcomeOf = async (extra: string) => {
      const { body, ...call } = callOf({ url: await replying(extra) });
      return attempt({ ...call, body: { ...body, model: call.model.id } }, PATIENT);
    };
    const tooComplex = { kind: 'failure', failure: 'bad-answer' };
    expect(await outcomeOf(`[${'{},'.repeat(500_000)}{}]`)).toMatchObject(tooComplex);
    expect(await outcomeOf(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).toMatchObject(tooComplex);
    expect(await outcomeOf(`[${'0.0123456789,'.repeat(300_000)}0]`)).toMatchObject({ kind: 'reply' });
  },
  60_000,
);
