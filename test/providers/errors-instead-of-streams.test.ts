import { describe, expect, it } from 'vitest';
import { type Dialect, PROVIDER_KINDS, type ProviderKind } from '../../router/catalog/types.ts';
import type { PrepareAttempt } from '../../router/exchange/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, KEY, modelAt, TIMEOUTS } from '../mapped-calls/mapped-gateway.ts';
import { type Scripted, scriptedProvider } from '../mapped-calls/scripted-provider.ts';

const DIALECTS = ['openai', 'anthropic'] as const;

interface Asked {
  readonly prepare: PrepareAttempt;
  readonly kind: ProviderKind;
  readonly dialect: Dialect;
  readonly stream: boolean;
}

async function outcomeOf({ prepare, kind, dialect, stream }: Asked, script: Scripted) {
  const { url } = await scriptedProvider(script);
  const model = modelAt(url, kind);
  const own = { ...model, provider: { ...model.provider, dialects: [dialect] } };
  const body = { model: 'auto', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hello' }] };
  return sendOnce(prepare)(callTo(own, dialect, body), TIMEOUTS);
}

const native = createNativeAttempt({ env: ENV });
const mapped = createMappedAttempt({ env: ENV });
const ATTEMPTS = [
  ...DIALECTS.map((dialect) => ({ name: 'native', prepare: native, kind: dialect, dialect })),
  ...PROVIDER_KINDS.flatMap((kind) =>
    DIALECTS.map((dialect) => ({ name: 'mapped', prepare: mapped, kind, dialect })),
  ),
];

/** Errors in a 200, whose JSON comes in place of a stream or of a plain reply. */
const ERRORS: readonly (readonly [unknown, string, number])[] = [
  [{ error: { message: 'x', code: 'insufficient_quota' } }, 'quota-exhausted', 200],
  [{ error: { message: 'x', type: 'server_error' } }, 'server-error', 200],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'overloaded', 529],
  [[{ error: { code: 429, message: 'x', status: 'RESOURCE_EXHAUSTED' } }], 'rate-limited', 429],
  [{ error: { code: 400, message: `Bad: ${KEY}` } }, 'bad-request', 400],
];

describe.each(ATTEMPTS)('$name: $kind to a client of $dialect', (asked) => {
  it.each([true, false])(
    'an error in plain JSON is read, whatever was asked for (stream: %s)',
    async (stream) => {
      for (const [error, failure, status] of ERRORS) {
        const outcome = await outcomeOf({ ...asked, stream }, { body: JSON.stringify(error) });
        expect(outcome, JSON.stringify(error)).toMatchObject({ kind: 'failure', failure, status });
        const said = outcome.kind === 'failure' && outcome.body ? Buffer.from(outcome.body).toString() : '';
        expect(said + JSON.stringify(outcome)).not.toContain(KEY);
        if (failure === 'bad-request') expect(JSON.parse(said).error.message).toContain('Bad: [key]');
      }
    },
  );

  it('other JSON is no stream', async () => {
    for (const body of ['{}', '[]', '{"error":null}', '{"error":{"code":429', 'null']) {
      const outcome = await outcomeOf({ ...asked, stream: true }, { body });
      expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-answer', status: 200 });
    }
  });
});
