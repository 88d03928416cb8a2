import { mapReply, mapStream, type ReplyContext, type ReplyNotes, replyContext } from '../dialects/index.ts';
import type { ProviderLine } from './exchange-fetch.ts';
import { type Mapping, mappingOf } from './map-request.ts';
import { plainOutcome, streamBody } from './mapped-body.ts';
import type { MappedCall, SendMapped } from './mapped-call.ts';
import { sdkModel } from './sdk-model.ts';
import type { AttemptOutcome, UpstreamCall } from './types.ts';

interface Work extends Pick<Mapping, 'options' | 'dropped'> {
  readonly call: UpstreamCall;
  readonly line: ProviderLine;
  readonly model: Awaited<ReturnType<typeof sdkModel>>;
  readonly context: ReplyContext;
}

/**
 * Maps a chat completion or a message, plain or streamed, for the SDK; nothing is sent.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareChat({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, signal } = call;
  const { options, completeBody, dropped } = await mappingOf(call, env);
  signal.throwIfAborted();
  const context = replyContext(call);
  return async (line) => {
    const fetch: typeof globalThis.fetch = completeBody
      ? (input, init) => line.fetch(input, { ...init, body: completeBody(String(init?.body)) })
      : line.fetch;
    const model = await sdkModel(entry, { apiKey: key, env, fetch });
    const work = { call, line, model, options, dropped, context };
    return call.stream ? streamed(work) : plain(work);
  };
}

async function plain({ line, model, options, dropped, context }: Work): Promise<AttemptOutcome> {
  const result = await model.doGenerate(options);
  const { body, usage } = mapReply(result, context, line.notes());
  return { ...plainOutcome(body, usage), dropped };
}

async function streamed({ call, line, model, options, dropped, context }: Work): Promise<AttemptOutcome> {
  const { stream } = await model.doStream(options);
  const { events, usage } = await mapStream(stream, context, () => wholeNotes(line));
  return {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: streamBody(events, call, line),
    usage,
    dropped,
  };
}

/** @throws what ended the exchange, if that was an error after the reason to finish */
function wholeNotes(line: ProviderLine): ReplyNotes {
  const broken = line.broken();
  if (broken !== undefined) throw broken;
  return line.notes();
}
