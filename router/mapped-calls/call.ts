import {
  type EmbeddingsRequest,
  embeddingsReply,
  embeddingsRequest,
  mapReply,
  mapStreams,
} from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import {
  type AttemptOutcome,
  ExchangeError,
  logprobsCompletion,
  type Mapping,
  type ProviderCall,
  type Usage,
  wholeBody,
} from '../exchange/index.ts';
import { isSecret, withoutKey } from '../provider-key.ts';
import { type ReplyContext, ReplyError, type ReplyNotes, replyContext } from '../sdk-terms/index.ts';
import { type EmbedResult, type SdkEmbeddingModel, type SdkModel, unmappable } from '../targets/index.ts';
import { maskedParts } from './key-mask.ts';
import { sdkEmbeddingModel, sdkModel, sharedMapping } from './map-request.ts';
import { fetchPerReply, type SdkTransport } from './sdk-transport.ts';

/** A call and the credentials for its provider. */
interface MappedCall {
  readonly call: ProviderCall;
  /** The provider's key; undefined if it needs none, or if Amazon's requests are signed. */
  readonly key: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Sends a mapped call over the transport of one attempt. Throws what `mappedFailure` reads. */
type SendMapped = (transport: SdkTransport) => Promise<AttemptOutcome>;

interface ChatAttempt extends Pick<Mapping, 'options' | 'dropped'>, Pick<MappedCall, 'call' | 'key'> {
  readonly transport: SdkTransport;
  /** One for each reply that was asked for; they share one request. */
  readonly models: readonly SdkModel[];
  readonly context: ReplyContext;
}

/**
 * Maps a chat completion or a message, plain or streamed, for the SDK; nothing is sent.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareChat({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, signal } = call;
  const { options, completeBody, replies, replacedNames, dropped } = await sharedMapping(call, env);
  signal.throwIfAborted();
  const context = replyContext(call, replacedNames);
  return async (transport) => {
    const completions = [completeBody, logprobsCompletion(call)].filter((one) => one !== undefined);
    const complete = (body: string) => completions.reduce((text, completion) => completion(text), body);
    const fetch: typeof globalThis.fetch =
      completions.length === 0
        ? transport.fetch
        : (input, init) => transport.fetch(input, { ...init, body: complete(String(init?.body)) });
    const open = (own: typeof fetch) => sdkModel(entry, { apiKey: key, env, fetch: own });
    const models = await Promise.all(fetchPerReply(fetch, replies).map(open));
    const chat = { call, key, transport, models, options, dropped, context };
    return call.stream ? streamedReply(chat) : plainReply(chat);
  };
}

async function plainReply({
  call,
  key,
  transport,
  models,
  options,
  dropped,
  context,
}: ChatAttempt): Promise<AttemptOutcome> {
  const results = await Promise.all(models.map((model) => model.doGenerate(options)));
  const { body, usage } = mapReply(results, context, transport.notes());
  return { ...plainOutcome(body, usage, key), dropped, ...logprobsIn(call, transport) };
}

async function streamedReply({
  call,
  key,
  transport,
  models,
  options,
  dropped,
  context,
}: ChatAttempt): Promise<AttemptOutcome> {
  const results = await Promise.all(models.map((model) => model.doStream(options)));
  const streams = results.map(({ stream }) => stream);
  const createEdit = isSecret(key) ? () => maskedParts(key) : undefined;
  const { events, usage } = await mapStreams(streams, context, () => finalNotes(transport), createEdit);
  return {
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: eventBody(events, { call, key }, transport),
    usage,
    dropped,
    ...logprobsIn(call, transport),
  };
}

/** What the provider sent of them never was in the mapped reply. */
function logprobsIn(
  { logprobs }: ProviderCall,
  transport: SdkTransport,
): Pick<Extract<AttemptOutcome, { kind: 'reply' }>, 'takeLogprobs'> {
  if (logprobs !== true) return {};
  return { takeLogprobs: (body) => ({ body, logprobs: transport.notes().logprobs ?? [] }) };
}

/** @throws what ended the exchange, if that was an error after the reason to finish */
function finalNotes(transport: SdkTransport): ReplyNotes {
  const error = transport.error();
  if (error !== undefined) throw error;
  return transport.notes();
}

/** Concurrent requests for one client, if the provider takes fewer texts in one request than the client sent. */
const CONCURRENCY = 4;
/** Names of the SDK's error classes for a refused option. Only `dimensions` becomes an option that can be wrong. */
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
  return async (transport) => {
    const model = await modelOver(transport.fetch);
    const results = await embedAll(model!, request);
    const { body: reply, usage } = embeddingsReply(results, entry.name, request.format);
    return plainOutcome(reply, usage);
  };
}

/** Takes the provider's place in a rehearsal: what gets this far would have been sent. */
async function unsent(): Promise<never> {
  throw new Error('not sent');
}

/** Lets the SDK check its options before anything is sent. */
async function rehearse(model: SdkEmbeddingModel, { values, ...request }: EmbeddingsRequest): Promise<void> {
  const one = { ...request, values: values.slice(0, 1) };
  const error = await embed(model, one.values, one).catch((thrown) => thrown);
  if (error instanceof PlimsollError) throw error;
}

async function embedAll(model: SdkEmbeddingModel, request: EmbeddingsRequest): Promise<EmbedResult[]> {
  const size = (await model.maxEmbeddingsPerCall) ?? request.values.length;
  const atOnce = (await model.supportsParallelCalls) ? CONCURRENCY : 1;
  const results: EmbedResult[] = [];
  for (const concurrent of batches(batches(request.values, size), atOnce)) {
    results.push(...(await Promise.all(concurrent.map((values) => embed(model, values, request)))));
  }
  return results;
}

async function embed(
  model: SdkEmbeddingModel,
  values: readonly string[],
  { providerOptions }: EmbeddingsRequest,
): Promise<EmbedResult> {
  const options = { values: [...values], ...(providerOptions && { providerOptions }) };
  const result = await model.doEmbed(options).then((embedded) => embedded, rethrowRefusal);
  if (result.embeddings.length !== values.length) {
    throw new ExchangeError('unreadable', 'It gave another number of embeddings than it was sent texts.');
  }
  return result;
}

function rethrowRefusal(error: unknown): never {
  if (error instanceof Error && BAD_OPTION.test(error.name)) {
    throw unmappable(['dimensions'], 'the chosen model does not have this number of them');
  }
  throw error;
}

function batches<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

const encoder = new TextEncoder();

/** @param key removed from the reply */
function plainOutcome(
  reply: object,
  usage: Usage | undefined,
  key?: string,
): Extract<AttemptOutcome, { kind: 'reply' }> {
  return {
    kind: 'reply',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: wholeBody(encoder.encode(withoutKey(JSON.stringify(reply), key))),
    usage: () => usage,
  };
}

/** What the events of a stream are encoded with: the key is removed from what the model did not write, such as an explanation. */
type EncodedCall = Pick<MappedCall, 'call' | 'key'>;

/**
 * Events as bytes. An early end is thrown as ExchangeError or as the reason of the call's signal. A reader that leaves, even before the
 * first byte, ends the exchange with the provider.
 */
function eventBody(
  events: AsyncIterable<string>,
  call: EncodedCall,
  transport: SdkTransport,
): AsyncIterable<Uint8Array> {
  const bytes = encoded(events, call, transport);
  // Written out because the `return` of a generator that was never begun does nothing.
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => bytes.next(),
    return: async () => {
      transport.close();
      return bytes.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/**
 * What ended a mapped reply: the exchange's own error rather than the one that reading it raised. A reply with no form in the client's
 * dialect is the provider's failure.
 */
export function replyError(transport: SdkTransport, error: unknown): unknown {
  const ended = transport.error() ?? error;
  if (!(ended instanceof ReplyError)) return ended;
  return new ExchangeError(ended.reason === 'incomplete' ? 'reset' : 'unreadable', ended.message);
}

async function* encoded(
  events: AsyncIterable<string>,
  { call: { signal }, key }: EncodedCall,
  transport: SdkTransport,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const event of events) yield encoder.encode(withoutKey(event, key));
  } catch (error) {
    signal.throwIfAborted();
    const ended = replyError(transport, error);
    if (ended instanceof ExchangeError) throw ended;
    throw new ExchangeError('unreadable', 'The stream could not be read.');
  } finally {
    transport.close();
  }
}
