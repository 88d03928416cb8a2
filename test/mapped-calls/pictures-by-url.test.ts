import { describe, expect, it } from 'vitest';
import type { Dialect, ProviderKind } from '../../router/catalog/index.ts';
import { createMappedAttempt } from '../../router/mapped-calls/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo, ENV, modelAt, TIMEOUTS } from './mapped-gateway.ts';
import { MODELS, replyingProvider } from './scripted-provider.ts';

const attempt = sendOnce(createMappedAttempt({ env: ENV }));

async function ask(kind: ProviderKind, dialect: Dialect, url: string, id = MODELS[kind]) {
  const provider = await replyingProvider(kind);
  const picture =
    dialect === 'openai'
      ? { type: 'image_url', image_url: { url } }
      : { type: 'image', source: { type: 'url', url } };
  const content = [{ type: 'text', text: 'What is this?' }, picture];
  const body = { model: 'x', max_tokens: 99, messages: [{ role: 'user', content }] };
  const outcome = await attempt(callTo(modelAt(provider.url, kind, { id }), dialect, body), TIMEOUTS);
  return { outcome, got: JSON.stringify(provider.bodies().at(-1) ?? null) };
}

describe.each<Dialect>(['openai', 'anthropic'])('a picture by URL, from %s', (dialect) => {
  it.each([
    ['https://example.com/a.png', 'image/png'],
    ['https://example.com/a.PNG?w=1.gif', 'image/png'],
    ['https://example.com/a.jpg', 'image/jpeg'],
    ['https://example.com/b/a.jpeg#top', 'image/jpeg'],
    ['https://example.com/a.webp', 'image/webp'],
  ])('goes to Gemini with its own media type: %s', async (url, mimeType) => {
    const { outcome, got } = await ask('google', dialect, url);
    expect(outcome.kind).toBe('reply');
    expect(got).toContain(JSON.stringify({ mimeType, fileUri: url }));
  });

  it.each([
    ['https://example.com/picture', undefined],
    ['https://example.com/a.png.php', undefined],
    ['https://example.com/a.gif', undefined],
    ['http://example.com/a.png', undefined],
    ['https://example.com/a.png', 'gemini-2.0-flash'],
  ])('is refused where Gemini would not fetch it, or not know it: %s %s', async (url, id) => {
    const { outcome, got } = await ask('google', dialect, url, id);
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request', status: undefined });
    expect(outcome.kind === 'failure' && outcome.message).toContain('base64');
    expect(got).toBe('null');
  });

  it.each<ProviderKind>(['mistral', dialect === 'openai' ? 'anthropic' : 'openai'])(
    'goes to %s whatever its address says',
    async (kind) => {
      const { outcome, got } = await ask(kind, dialect, 'https://example.com/picture');
      expect(outcome.kind).toBe('reply');
      expect(got).toContain('https://example.com/picture');
    },
  );

  it('is refused at Bedrock', async () => {
    const { outcome } = await ask('bedrock', dialect, 'https://example.com/a.png');
    expect(outcome).toMatchObject({ kind: 'failure', failure: 'bad-request', status: undefined });
  });
});
