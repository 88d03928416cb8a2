import { Agent } from 'undici';
import { generateReply, parseOpenaiRequest } from '../../fake-provider/index.ts';

/** Billionths of a US dollar for a token: prices are whole numbers of these, so that sums are exact. */
export const NANO_USD = {
  small: { input: 100, output: 400 },
  large: { input: 3_000, output: 12_000 },
} as const;
/** The options of the fake provider. */
export const REPLY = { seed: 1, words: 16, toolCalls: 1 };

type Json = Readonly<Record<string, unknown>>;

/** One request, whose reply nobody else gets: its text is in no other one. */
export interface UniqueRequest {
  readonly body: Json;
  readonly key: string;
  readonly session?: string | undefined;
}

/** A reply that is the named model's to this request, whole. */
export interface WholeReply {
  readonly kind: 'whole';
  readonly decisionId: string;
  readonly selected: string;
  /** Provider and model. */
  readonly served: string;
  readonly nanoUsd: number;
}

/** `crossed`: a reply, or a part of one, to something else. `failed`: an error, or a connection that broke. */
export type Attempt =
  | WholeReply
  | {
      readonly kind: 'crossed' | 'failed';
      readonly status: number | undefined;
      /** If there was a head. */
      readonly decisionId?: string | undefined;
    };

export interface VerifiedClient {
  /** Never rejects. @param origin of an instance */
  send(origin: string, request: UniqueRequest): Promise<Attempt>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 60_000;

/** A client that knows what the fake provider replies to each request. */
export function verifiedClient(): VerifiedClient {
  const agent = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  return {
    async send(origin, { body, key, session }) {
      let decisionId: string | undefined;
      try {
        const response = await agent.request({
          origin,
          path: '/v1/chat/completions',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${key}`,
            ...(session !== undefined && { 'x-session-id': session }),
          },
          body: JSON.stringify(body),
        });
        const { statusCode: status, headers } = response;
        decisionId = headers['x-plimsoll-decision-id']?.toString();
        const text = await response.body.text();
        if (status !== 200) return { kind: 'failed', status, decisionId };
        const header = (name: string) => String(headers[`x-plimsoll-${name}`]);
        const served = header('served');
        const { id, content, nanoUsd } = expectedReply(body, served);
        const reply = body['stream'] === true ? streamedReply(text) : plainReply(text);
        // A stream that broke off says so, and is no reply to somebody else.
        if (reply === 'broken') return { kind: 'failed', status, decisionId };
        if (reply.id !== id || reply.content !== content) return { kind: 'crossed', status, decisionId };
        return {
          kind: 'whole',
          decisionId: header('decision-id'),
          selected: header('selected'),
          served,
          nanoUsd,
        };
      } catch {
        return { kind: 'failed', status: decisionId === undefined ? undefined : 200, decisionId };
      }
    },
    close: () => agent.close(),
  };
}

/** What the provider bills for a request that it has seen. @param model without its provider */
export function billedNanoUsd(body: Json, model: string): number {
  const { inputTokens, outputTokens } = generateReply(parseOpenaiRequest({ ...body, model }), REPLY);
  const price = model === 'large' ? NANO_USD.large : NANO_USD.small;
  return inputTokens * price.input + outputTokens * price.output;
}

interface Reply {
  readonly id: string;
  /** Text, or the ids of tool calls. */
  readonly content: string;
}

function expectedReply(body: Json, served: string): Reply & { readonly nanoUsd: number } {
  const model = served.slice(served.indexOf('/') + 1);
  const { id, words, toolCalls } = generateReply(parseOpenaiRequest({ ...body, model }), REPLY);
  const content = words.join('') + toolCalls.map((call) => `call_${call.id}`).join();
  return { id: `chatcmpl-${id}`, content, nanoUsd: billedNanoUsd(body, model) };
}

interface Message {
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly id: string }[];
}

function plainReply(text: string): Reply {
  const { id, choices } = JSON.parse(text) as { id: string; choices: readonly { message: Message }[] };
  const { content, tool_calls: calls = [] } = choices[0]?.message ?? {};
  return { id, content: (content ?? '') + calls.map((call) => call.id).join() };
}

function streamedReply(text: string): Reply | 'broken' {
  const datas = text.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? event.slice(6) : []));
  if (datas.at(-1) !== '[DONE]') return 'broken';
  const chunks = datas
    .slice(0, -1)
    .map(
      (data) => JSON.parse(data) as { id: string; error?: object; choices?: readonly { delta: Message }[] },
    );
  if (chunks.some(({ error }) => error !== undefined)) return 'broken';
  const ids = new Set(chunks.map(({ id }) => id));
  const content = chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');
  return { id: [...ids].join(), content };
}
