import { Agent } from 'undici';
import { generateReply, parseOpenaiRequest } from '../../fake-provider/index.ts';
import { CONSTANT_REPLY } from './servers.ts';

/** The outcome of a request. */
export interface VerifiedRequest {
  /**
   * `complete`: exactly the reply of the named model to this prompt. `refused`: an error status with an error object, nothing else.
   * `interrupted`: a correct beginning of a stream, then an error event. `spliced`: words of several replies, or of another request's.
   * `truncated`: an unannounced end. `lost`: no response, or the connection failed.
   */
  readonly kind: 'complete' | 'refused' | 'interrupted' | 'spliced' | 'truncated' | 'lost';
  readonly status: number | undefined;
  readonly served: string | undefined;
  readonly decisionId: string | undefined;
}

const TIMEOUT_MS = 60_000;
const agent = new Agent({
  headersTimeout: TIMEOUT_MS,
  bodyTimeout: TIMEOUT_MS,
  keepAliveTimeout: 1_000,
  keepAliveMaxTimeout: 1_000,
});
/** The options with which the fake provider is started. */
const REPLY_OPTIONS = { seed: 1, words: CONSTANT_REPLY.words, toolCalls: 1 };

/** Sends a request for `auto` and compares the response with what the fake provider must have sent. Never rejects. */
export async function sendVerified(base: string, prompt: string, stream: boolean): Promise<VerifiedRequest> {
  const request = {
    model: 'auto',
    messages: [{ role: 'user', content: prompt }],
    ...(stream && { stream }),
  };
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: new URL(base).origin,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    const text = await body.text();
    const served = headers['x-plimsoll-served'] as string | undefined;
    const decisionId = headers['x-plimsoll-decision-id'] as string | undefined;
    const kind = statusCode === 200 ? classify(text, served, request, stream) : classifyError(text);
    return { kind, status: statusCode, served, decisionId };
  } catch {
    return { kind: 'lost', status: undefined, served: undefined, decisionId: undefined };
  }
}

type Json = Record<string, unknown>;

function classifyError(text: string): VerifiedRequest['kind'] {
  const { error } = parse(text) ?? {};
  return typeof (error as Json | undefined)?.['message'] === 'string' ? 'refused' : 'truncated';
}

function classify(
  text: string,
  served: string | undefined,
  request: Json,
  stream: boolean,
): VerifiedRequest['kind'] {
  const model = served?.slice(served.indexOf('/') + 1);
  const { id, words } = generateReply(parseOpenaiRequest({ ...request, model }), REPLY_OPTIONS);
  const expected = { id: `chatcmpl-${id}`, content: words.join('') };
  return stream ? classifyStream(text, expected) : classifyPlain(text, expected);
}

interface Expected {
  readonly id: string;
  readonly content: string;
}

function classifyPlain(text: string, expected: Expected): VerifiedRequest['kind'] {
  const reply = parse(text);
  if (reply === undefined) return 'truncated';
  const [choice] = reply['choices'] as { readonly message: { readonly content: string } }[];
  return reply['id'] === expected.id && choice?.message.content === expected.content ? 'complete' : 'spliced';
}

function classifyStream(text: string, expected: Expected): VerifiedRequest['kind'] {
  const datas = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
  const events = datas.filter((data) => data !== '[DONE]').map((data) => parse(data) ?? {});
  const failed = events.at(-1)?.['error'] !== undefined;
  const chunks = events.filter((event) => event['choices'] !== undefined);
  const content = chunks.map(contentOf).join('');
  if (chunks.some(({ id }) => id !== expected.id) || !expected.content.startsWith(content)) return 'spliced';
  if (failed) return 'interrupted';
  // Providers of this dialect may omit [DONE], but not the finish reason.
  const done = datas.at(-1) === '[DONE]' || chunks.some(isLast);
  return done && content === expected.content && text.endsWith('\n\n') ? 'complete' : 'truncated';
}

function contentOf({ choices }: Json): string {
  const [choice] = choices as { readonly delta?: { readonly content?: string } }[];
  return choice?.delta?.content ?? '';
}

function isLast({ choices }: Json): boolean {
  const [choice] = choices as { readonly finish_reason?: string | null }[];
  return typeof choice?.finish_reason === 'string';
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
