import { randomUUID } from 'node:crypto';
import { SseReader } from '../exchange/index.ts';
import { fieldIn, isObject, type JsonObject, parseJson } from '../json/index.ts';

const SEQUENCE = /"sequence_number"\s*:\s*(\d+)/;
const ENDED = /^response\.(?:completed|incomplete|failed)$/;

/** Why a response failed, as its `error` says it. */
interface ResponseError {
  readonly code: 'server_error' | 'rate_limit_exceeded';
  readonly message: string;
}

/**
 * Watches the stream of a response, to end it if its provider does not: clients of the Responses API wait for an event with the whole
 * response, and every event has a number.
 */
export class ResponseEnd {
  readonly #events = new SseReader();
  #sequence = -1;
  #begun: string | undefined;
  #ended = false;

  /** The same bytes, read as they pass. */
  async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      for (const { event, data } of this.#events.push(chunk)) this.#read(event, data);
      yield chunk;
    }
  }

  /** The events that a broken stream lacks; undefined if it has come to its end. */
  failed(error: ResponseError): string | undefined {
    if (this.#ended) return undefined;
    const begun = fieldIn(parseJson(this.#begun ?? ''), 'response');
    const response = isObject(begun) ? begun : emptyResponse();
    const created = isObject(begun) ? '' : this.#event('response.created', response);
    return created + this.#event('response.failed', { ...response, status: 'failed', error });
  }

  #read(event: string, data: string): void {
    const sequence = SEQUENCE.exec(data)?.[1];
    if (sequence !== undefined) this.#sequence = Number(sequence);
    const type = eventType(event, data);
    if (type === 'response.created') this.#begun = data;
    this.#ended ||= ENDED.test(type);
  }

  #event(type: string, response: object): string {
    this.#sequence += 1;
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence, response })}\n\n`;
  }
}

const TYPE = /"type"\s*:\s*"(response\.[a-z_.]+)"/;

/** The type of an event; servers that copy the API may leave its name out. Empty if it has none. */
export function eventType(event: string, data: string): string {
  return event === '' ? (TYPE.exec(data)?.[1] ?? '') : event;
}

function emptyResponse(): JsonObject {
  return {
    id: `resp_${randomUUID().replaceAll('-', '')}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    output: [],
    usage: null,
    metadata: {},
  };
}
