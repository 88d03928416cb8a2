import {
  countIn,
  fieldIn,
  isObject,
  type JsonObject,
  objectIn,
  objectsIn,
  parseJson,
  textIn,
} from '../json/index.ts';

const FINISH: Readonly<Record<string, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  function_call: 'STOP',
  content_filter: 'SAFETY',
};

/** A chat completion as a response of `generateContent` (https://ai.google.dev/api/generate-content#generatecontentresponse). */
export function googleReply(completion: unknown): object {
  const candidates = objectsIn(completion, 'choices').map((choice, at) => {
    const message = objectIn(choice, 'message');
    const text = textIn(message, 'content') ?? textIn(message, 'refusal');
    const calls = objectsIn(message, 'tool_calls').map((call) => callPart(call));
    return {
      content: { role: 'model', parts: [...(text === undefined ? [] : [{ text }]), ...calls] },
      finishReason: finishReason(choice['finish_reason']),
      index: countIn(choice, 'index') ?? at,
    };
  });
  return { candidates, ...envelope(completion) };
}

function finishReason(reason: unknown): string {
  return (typeof reason === 'string' && FINISH[reason]) || 'OTHER';
}

function callPart(call: JsonObject) {
  const { name, arguments: written } = objectIn(call, 'function');
  const args = typeof written === 'string' ? parseJson(written) : written;
  return { functionCall: { id: call['id'], name, args: isObject(args) ? args : {} } };
}

function envelope(completion: unknown) {
  const usage = usageMetadata(fieldIn(completion, 'usage'));
  return {
    ...(usage && { usageMetadata: usage }),
    modelVersion: fieldIn(completion, 'model'),
    responseId: fieldIn(completion, 'id'),
  };
}

function usageMetadata(usage: unknown): object | undefined {
  const input = countIn(usage, 'prompt_tokens');
  const output = countIn(usage, 'completion_tokens');
  if (input === undefined || output === undefined) return undefined;
  const thoughts = countIn(objectIn(usage, 'completion_tokens_details'), 'reasoning_tokens') ?? 0;
  const cached = countIn(objectIn(usage, 'prompt_tokens_details'), 'cached_tokens');
  return {
    promptTokenCount: input,
    candidatesTokenCount: Math.max(0, output - thoughts),
    ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    ...(cached && { cachedContentTokenCount: cached }),
    totalTokenCount: input + output,
  };
}

/** A candidate of a stream whose end has not been sent. */
interface OpenCandidate {
  /** By their index: arguments come in pieces, and Google's clients get a call whole. */
  readonly calls: Map<number, { id: unknown; name: string; arguments: string }>;
  finish?: string;
}

/**
 * The chunks of a chat completion as the events of `streamGenerateContent`. Text goes on at once; calls of functions, the reason to finish
 * and the counts come in the last event.
 */
export class GoogleEvents {
  readonly #open = new Map<number, OpenCandidate>();
  #last: unknown;

  /** @param data of one event, `[DONE]` included @returns events with the blank line that ends each */
  push(data: string): string[] {
    const chunk = parseJson(data);
    if (!isObject(chunk)) return [];
    const usage = fieldIn(chunk, 'usage') ?? fieldIn(this.#last, 'usage');
    this.#last = { ...chunk, usage };
    return objectsIn(chunk, 'choices').flatMap((choice) => this.#read(choice, chunk));
  }

  /** To be called when the reply has ended well. */
  end(): string[] {
    const candidates = [...this.#open].map(([index, { calls, finish }]) => ({
      content: {
        role: 'model',
        parts: [...calls.values()].map((call) => callPart({ id: call.id, function: call })),
      },
      finishReason: finish ?? 'OTHER',
      index,
    }));
    return candidates.length === 0 ? [] : [event({ candidates, ...envelope(this.#last) })];
  }

  #read(choice: JsonObject, chunk: JsonObject): string[] {
    const index = countIn(choice, 'index') ?? 0;
    const open: OpenCandidate = this.#open.get(index) ?? { calls: new Map() };
    this.#open.set(index, open);
    const delta = objectIn(choice, 'delta');
    for (const call of objectsIn(delta, 'tool_calls')) addCall(open, call);
    if (typeof choice['finish_reason'] === 'string') open.finish = finishReason(choice['finish_reason']);
    const text = textIn(delta, 'content') ?? textIn(delta, 'refusal');
    if (text === undefined) return [];
    const { usage: _, ...head } = chunk;
    return [
      event({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index }], ...envelope(head) }),
    ];
  }
}

function addCall({ calls }: OpenCandidate, call: JsonObject): void {
  const at = countIn(call, 'index') ?? calls.size;
  const piece = objectIn(call, 'function');
  const known = calls.get(at) ?? { id: call['id'], name: '', arguments: '' };
  known.name += textIn(piece, 'name') ?? '';
  known.arguments += textIn(piece, 'arguments') ?? '';
  calls.set(at, known);
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}
