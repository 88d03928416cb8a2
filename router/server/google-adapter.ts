import { SseReader } from '../exchange/index.ts';
import type { GatewayReply } from '../gateway/index.ts';
import { GoogleEvents, googleErrorBody, googleReply } from '../google-dialect/index.ts';
import { countIn, fieldIn, parseJson, textIn } from '../json/index.ts';

/** A reply in OpenAI's form as Google's clients read it. @param dropped paths of the client's fields that were left out */
export function asGoogle(reply: GatewayReply, dropped: readonly string[]): GatewayReply {
  const { 'content-length': _, ...own } = reply.headers;
  const known = own['x-plimsoll-dropped'];
  const all = [...(known === undefined ? [] : [known]), ...dropped].join(', ');
  const headers = all === '' ? own : { ...own, 'x-plimsoll-dropped': all };
  const { status, body, stream } = reply;
  if (status >= 400) return { ...reply, headers, body: mapped(body, (json) => googleError(json, status)) };
  if (stream === undefined) return { ...reply, headers, body: mapped(body, googleReply) };
  const errorEvent: typeof stream.errorEvent = (error, id) => googleErrorEvent(stream.errorEvent(error, id));
  return { ...reply, headers, body: googleStream(body), stream: { ...stream, errorEvent } };
}

/** A count in Anthropic's form as Google's. */
export function asGoogleCount(reply: GatewayReply): GatewayReply {
  const { 'content-length': _, ...headers } = reply.headers;
  const { status, body } = reply;
  const change = (json: unknown) =>
    status >= 400
      ? googleError(json, status)
      : {
          totalTokens: countIn(json, 'input_tokens'),
          ...(fieldIn(json, 'estimated') === true && { estimated: true }),
        };
  return { ...reply, headers, body: mapped(body, change) };
}

/** An error that a provider of Google's made has its form already. */
export function googleError(json: unknown, status: number): unknown {
  const error = fieldIn(json, 'error');
  if (textIn(error, 'status') !== undefined) return json;
  return googleErrorBody({
    status,
    message: textIn(error, 'message') ?? `Failed with the status ${status}.`,
  });
}

function mapped(body: GatewayReply['body'], change: (json: unknown) => unknown): GatewayReply['body'] {
  if (body instanceof Uint8Array) return changed([body], change);
  return (async function* () {
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    yield changed(pieces, change);
  })();
}

function changed(pieces: readonly Uint8Array[], change: (json: unknown) => unknown): Buffer {
  return Buffer.from(JSON.stringify(change(parseJson(Buffer.concat(pieces).toString('utf8')))));
}

async function* googleStream(body: GatewayReply['body']): AsyncGenerator<Uint8Array> {
  const reader = new SseReader();
  const events = new GoogleEvents();
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    for (const { data } of reader.push(chunk)) {
      for (const event of events.push(data)) yield Buffer.from(event);
    }
  }
  for (const event of events.end()) yield Buffer.from(event);
}

const DATA = /^data: (.*)$/m;

function googleErrorEvent(event: string | undefined): string | undefined {
  const json = parseJson(DATA.exec(event ?? '')?.[1] ?? '');
  return `\r\n\r\ndata: ${JSON.stringify(googleError(json, 502))}\r\n\r\n`;
}
