import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';

export interface Scripted {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface SeenCall {
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: Record<string, unknown>;
  /** The JSON of the body, as it came. */
  readonly text: string;
}

/** A provider with one reply, or one computed from the call, and the calls that it received. */
export async function scriptedProvider(script: Scripted | ((asked: SeenCall) => Scripted)) {
  const seen: SeenCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (!request.complete) return; // the caller gave up
    const { url = '', headers } = request;
    const text = Buffer.concat(chunks).toString('utf8');
    const asked = { url, headers, body: JSON.parse(text), text };
    seen.push(asked);
    const reply = typeof script === 'function' ? script(asked) : script;
    const { status = 200, type = 'application/json', body } = reply;
    response.writeHead(status, { 'content-type': type, ...reply.headers }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export interface ReplyingProvider {
  readonly url: string;
  /** The bodies that it received, the latest last. */
  readonly bodies: () => readonly Record<string, unknown>[];
}

/** The body of a plain reply. */
export const MISTRAL_REPLY = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Sun.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
});
export const BEDROCK_REPLY = JSON.stringify({
  output: { message: { role: 'assistant', content: [{ text: 'Sun.' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
  metrics: { latencyMs: 1 },
});

/** A provider of this kind that replies to what its API allows, and only to that if the fake provider knows its rules. */
export async function replyingProvider(kind: ProviderKind): Promise<ReplyingProvider> {
  if (kind === 'mistral' || kind === 'bedrock') {
    const { seen, url } = await scriptedProvider({
      body: kind === 'mistral' ? MISTRAL_REPLY : BEDROCK_REPLY,
    });
    return { url, bodies: () => seen.map(({ body }: SeenCall) => body) };
  }
  const upstream = await startFakeProvider({ strict: true });
  onTestFinished(() => upstream.close());
  return { url: upstream.url, bodies: () => upstream.requests.map(({ body }) => body) };
}

/** A model of today for each kind. */
export const MODELS: Readonly<Record<ProviderKind, string>> = {
  openai: 'gpt-6-sol',
  'openai-compatible': 'qwen3',
  anthropic: 'claude-haiku-4-5',
  google: 'gemini-2.5-flash',
  mistral: 'mistral-large-latest',
  people: '',
  bedrock: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
};
