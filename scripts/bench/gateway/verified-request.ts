import { Agent } from 'undici';
import { generateReply, parseOpenaiRequest } from '../../fake-provider/index.ts';
import { CONSTANT_REPLY } from './servers.ts';

/** What became of a request. */
export interface VerifiedRequest {
  /**
   * `answered`: whole, and the very answer that the model which is named gives to this prompt. `refused`: an error status with an error
   * object, nothing else. `broken-off`: a stream's beginning, right as far as it goes, and an error event. `spliced`: words of more than
   * one answer, or of another's. `cut`: an end that nobody announced. `lost`: no answer, or the connection broke.
   */
  readonly kind: 'answered' | 'refused' | 'broken-off' | 'spliced' | 'cut' | 'lost';
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
/** As the test upstream is started. */
const REPLY = { seed: 1, words: CONSTANT_REPLY.words, toolCalls: 1 };

/** Asks for `auto` and checks the answer against what the test upstream must have said. Never rejects. */
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
    const kind = statusCode === 200 ? kindOf(text, served, request, stream) : refusal(text);
    return { kind, status: statusCode, served, decisionId };
  } catch {
    return { kind: 'lost', status: undefined, served: undefined, decisionId: undefined };
  }
}

type Json = Record<string, unknown>;

function refusal(text: string): VerifiedRequest['kind'] {
  const { error } = parsed(text) ?? {};
  return typeof (error as Json | undefined)?.['message'] === 'string' ? 'refused' : 'cut';
}

function kindOf(
  text: string,
  served: string | undefined,
  request: Json,
  stream: boolean,
): VerifiedRequest['kind'] {
  const model = served?.slice(served.indexOf('/') + 1);
  const { id, words } = generateReply(parseOpenaiRequest({ ...request, model }), REPLY);
  const right = { id: `chatcmpl-${id}`, content: words.join('') };
  return stream ? kindOfStream(text, right) : kindOfAnswer(text, right);
}

interface Right {
  readonly id: string;
  readonly content: string;
}

function kindOfAnswer(text: string, right: Right): VerifiedRequest['kind'] {
  const answer = parsed(text);
  if (answer === undefined) return 'cut';
  const [choice] = answer['choices'] as { readonly message: { readonly content: string } }[];
  return answer['id'] === right.id && choice!.message.content === right.content ? 'answered' : 'spliced';
}

function kindOfStream(text: string, right: Right): VerifiedRequest['kind'] {
  const datas = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
  const events = datas.filter((data) => data !== '[DONE]').map((data) => parsed(data) ?? {});
  const failed = events.at(-1)?.['error'] !== undefined;
  const chunks = events.filter((event) => event['choices'] !== undefined);
  const content = chunks.map(contentOf).join('');
  if (chunks.some(({ id }) => id !== right.id) || !right.content.startsWith(content)) return 'spliced';
  if (failed) return 'broken-off';
  // A provider of this dialect need not send [DONE]: what it may not leave out is why the model ended.
  const done = datas.at(-1) === '[DONE]' || chunks.some(isLast);
  return done && content === right.content && text.endsWith('\n\n') ? 'answered' : 'cut';
}

function contentOf({ choices }: Json): string {
  const [choice] = choices as { readonly delta?: { readonly content?: string } }[];
  return choice?.delta?.content ?? '';
}

function isLast({ choices }: Json): boolean {
  const [choice] = choices as { readonly finish_reason?: string | null }[];
  return typeof choice?.finish_reason === 'string';
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
