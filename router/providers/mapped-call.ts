import {
  type EmbeddingsRequest,
  type EmbedResult,
  embeddingsReply,
  embeddingsRequest,
  mapReply,
  mapStream,
  type ReplyContext,
  ReplyError,
  type ReplyNotes,
  replyContext,
  type SdkEmbeddingModel,
  unmappable,
} from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import { ExchangeError } from './exchange-error.ts';
import { sharedMapping } from './map-request.ts';
import { wholeBody } from './response.ts';
import { sdkEmbeddingModel, sdkModel } from './sdk-model.ts';
import type { SdkTransport } from './sdk-transport.ts';
import type { AttemptOutcome, Mapping, ProviderCall, Usage } from './types.ts';

/** One call, and what opens its provider. */
interface MappedCall {
  readonly call: ProviderCall;
  /** The provider's; undefined where it needs none, and where Amazon's requests are signed. */
  readonly key: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Sends a call that has been mapped, over a line that is opened for this attempt. Throws what `mappedFailure` reads. */
type SendMapped = (line: SdkTransport) => Promise<AttemptOutcome>;

interface Work extends Pick<Mapping, 'options' | 'dropped'> {
  readonly call: ProviderCall;
  readonly line: SdkTransport;
  readonly model: Awaited<ReturnType<typeof sdkModel>>;
  readonly context: ReplyContext;
}

/**
 * Maps a chat completion or a message, plain or streamed, for the SDK; nothing is sent.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareChat({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, signal } = call;
  const { options, completeBody, dropped } = await sharedMapping(call, env);
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
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: eventBody(events, call, line),
    usage,
    dropped,
  };
}

/** @throws what ended the exchange, if that was an error after the reason to finish */
function wholeNotes(line: SdkTransport): ReplyNotes {
  const broken = line.broken();
  if (broken !== undefined) throw broken;
  return line.notes();
}

/** Requests of one client that are with the provider at once, where it takes fewer texts in one than the client sent. */
const AT_ONCE = 4;
/** The SDK's refusals of an option, by the names of their classes. Only `dimensions` becomes one that can be wrong. */
const BAD_OPTION = /^AI_(InvalidArgumentError|TypeValidationError)$/;

/**
 * Maps a request for embeddings in OpenAI's form; nothing is sent. Texts that do not fit into one request of the provider go into
 * several; the reply is whole, in the order of the texts, or a failure.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareEmbeddings({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, body } = call;
  const modelOver = (fetch: typeof globalThis.fetch) => sdkEmbeddingModel(entry, { apiKey: key, env, fetch });
  const rehearsal = await modelOver(unsent);
  if (rehearsal === undefined) throw unmappable(['model'], 'its provider has no embeddings');
  const request = embeddingsRequest(body, entry);
  await rehearse(rehearsal, request);
  return async (line) => {
    const model = await modelOver(line.fetch);
    const results = await embedded(model!, request);
    const { body: reply, usage } = embeddingsReply(results, entry.name, request.format);
    return plainOutcome(reply, usage);
  };
}

/** Stands in for the provider in a rehearsal: what comes this far would have been sent. */
async function unsent(): Promise<never> {
  throw new Error('not sent');
}

/** Lets the SDK check its options before anything is sent. */
async function rehearse(model: SdkEmbeddingModel, { values, ...request }: EmbeddingsRequest): Promise<void> {
  const one = { ...request, values: values.slice(0, 1) };
  const error = await ask(model, one.values, one).catch((thrown) => thrown);
  if (error instanceof PlimsollError) throw error;
}

async function embedded(model: SdkEmbeddingModel, request: EmbeddingsRequest): Promise<EmbedResult[]> {
  const size = (await model.maxEmbeddingsPerCall) ?? request.values.length;
  const atOnce = (await model.supportsParallelCalls) ? AT_ONCE : 1;
  const results: EmbedResult[] = [];
  for (const batches of slices(slices(request.values, size), atOnce)) {
    results.push(...(await Promise.all(batches.map((values) => ask(model, values, request)))));
  }
  return results;
}

async function ask(
  model: SdkEmbeddingModel,
  values: readonly string[],
  { providerOptions }: EmbeddingsRequest,
): Promise<EmbedResult> {
  const options = { values: [...values], ...(providerOptions && { providerOptions }) };
  const result = await model.doEmbed(options).then((given) => given, refused);
  if (result.embeddings.length !== values.length) {
    throw new ExchangeError('unreadable', 'It gave another number of embeddings than it was sent texts.');
  }
  return result;
}

function refused(error: unknown): never {
  if (error instanceof Error && BAD_OPTION.test(error.name)) {
    throw unmappable(['dimensions'], 'the chosen model does not have this number of them');
  }
  throw error;
}

function slices<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

const encoder = new TextEncoder();

/** A plain answer, in one piece. */
function plainOutcome(answer: object, usage: Usage | undefined): Extract<AttemptOutcome, { kind: 'reply' }> {
  return {
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: wholeBody(encoder.encode(JSON.stringify(answer))),
    usage: () => usage,
  };
}

/**
 * Events as bytes. Whatever breaks them off reaches the reader as UpstreamBroken, or as the reason of the call's signal. A
 * reader that leaves, even before the first byte, ends the exchange with the provider.
 */
function eventBody(
  events: AsyncIterable<string>,
  call: ProviderCall,
  line: SdkTransport,
): AsyncIterable<Uint8Array> {
  const bytes = encoded(events, call, line);
  // Written out because a generator that was never begun would not be told that its reader has gone.
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => bytes.next(),
    return: async () => {
      line.close();
      return bytes.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/**
 * What ended a mapped reply: the exchange's own error before the one that reading it gave. A reply with no form in the client's dialect
 * is the provider's failure.
 */
export function replyError(line: SdkTransport, error: unknown): unknown {
  const broken = line.broken() ?? error;
  if (!(broken instanceof ReplyError)) return broken;
  return new ExchangeError(broken.reason === 'incomplete' ? 'reset' : 'unreadable', broken.message);
}

async function* encoded(
  events: AsyncIterable<string>,
  { signal }: ProviderCall,
  line: SdkTransport,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const event of events) yield encoder.encode(event);
  } catch (error) {
    signal.throwIfAborted();
    const broken = replyError(line, error);
    if (broken instanceof ExchangeError) throw broken;
    throw new ExchangeError('unreadable', 'The stream could not be read.');
  } finally {
    line.close();
  }
}
