import type { TokenCounts } from '../catalog/index.ts';
import { responsesReply, responsesRequest, responsesStream } from '../responses-dialect/index.ts';
import {
  carriesFile,
  isFailure,
  type ReplacedNames,
  type ReplyContext,
  ReplyError,
  type ReplyNotes,
  readUsage,
  renameTools,
  unexpectedFile,
  unfinishedStream,
  withCallableChoice,
  withClientName,
} from '../sdk-terms/index.ts';
import {
  type CallOptions,
  createLosses,
  createTarget,
  exceededLimit,
  type FinishReason,
  type GenerateResult,
  type Losses,
  type ModelRequest,
  marksCache,
  mergeProviderOptions,
  requirePictureLimits,
  type SdkUsage,
  type StreamPart,
  type SupportedUrls,
  type Target,
  thinkingBudget,
  type UnmappableRule,
  withCacheMarks,
} from '../targets/index.ts';
import { anthropicReply, anthropicStream } from './anthropic/reply.ts';
import { anthropicRequest } from './anthropic/request.ts';
import { separateGoogleSchemas } from './google-schemas.ts';
import { joinOpenaiStreams, openaiReply, openaiStream } from './openai/reply.ts';
import { openaiRequest } from './openai/request.ts';

/** A request of a client as options of the AI SDK. */
export interface MappedRequest {
  readonly options: CallOptions;
  readonly losses: Losses;
  /** Completes the JSON body that the SDK writes with what the SDK cannot express; undefined if nothing is missing. */
  readonly completeBody: ((body: string) => string) | undefined;
  /** How many replies it asks for. */
  readonly replies: number;
  /** Tools that the provider gets under another name than the client's. */
  readonly replacedNames: ReplacedNames;
}

const REQUESTS = { openai: openaiRequest, anthropic: anthropicRequest, responses: responsesRequest } as const;
const STREAMS = { openai: openaiStream, anthropic: anthropicStream, responses: responsesStream } as const;

/**
 * Maps a request of a client for a model whose provider does not speak its dialect.
 * @param urls - that the model fetches by itself, as the SDK's model declares them
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, if the model's provider cannot carry the request
 */
export function mapRequest(request: ModelRequest, rule: UnmappableRule, urls: SupportedUrls): MappedRequest {
  const { model, dialect, body } = request;
  requirePictureLimits(request);
  const losses = createLosses(dialect, body, rule);
  const target = createTarget(model, urls);
  const limited = withLimit(REQUESTS[dialect](limitedBody(request, losses), target, losses), request);
  const choice = request.body['tool_choice'] == null ? 'function_call' : 'tool_choice';
  const renamed = renameTools(withCallableChoice(limited, choice, losses), target);
  const { replaced } = renamed;
  const begun = target.beginsWithUser ? withUserFirst(renamed.options) : renamed.options;
  const options = model.cachePrompts && !marksCache(body) ? withCacheMarks(begun, target) : begun;
  const replies = repliesAsked(request, target);
  const separated = model.provider.kind === 'google' ? separateGoogleSchemas(options, replies) : undefined;
  return {
    options: separated?.options ?? options,
    losses,
    completeBody: separated?.completeBody,
    replies,
    replacedNames: replaced,
  };
}

const USER_FIRST: CallOptions['prompt'][number] = {
  role: 'user',
  content: [{ type: 'text', text: '(The conversation begins with the assistant.)' }],
};

/** A conversation may begin with a greeting, or with a call of a tool whose request was cut away; some APIs refuse that. */
function withUserFirst(options: CallOptions): CallOptions {
  const first = options.prompt.findIndex(({ role }) => role !== 'system');
  if (options.prompt[first]?.role !== 'assistant') return options;
  return { ...options, prompt: options.prompt.toSpliced(first, 0, USER_FIRST) };
}

/** With a limit that the model takes. */
function limitedBody(request: ModelRequest, losses: Losses): ModelRequest['body'] {
  const exceeded = exceededLimit(request);
  if (exceeded === undefined) return request.body;
  const { fields, most } = exceeded;
  for (const field of fields) losses.drop([field], `the chosen model's replies have at most ${most} tokens`);
  return { ...request.body, ...Object.fromEntries(fields.map((field) => [field, most])) };
}

/** More than the target takes have been dropped. */
function repliesAsked({ dialect, body: { n } }: ModelRequest, { maxReplies }: Target): number {
  return dialect === 'openai' && typeof n === 'number' && n <= maxReplies ? n : 1;
}

/**
 * Anthropic's API requires a limit; if the client names none it is the model's own. OpenAI's newer models refuse `max_tokens`, which the SDK
 * sends unless it knows that the model reasons; its older ones take `max_completion_tokens` as well.
 */
function withLimit(options: CallOptions, { model }: ModelRequest): CallOptions {
  const { maxOutputTokens: limit, ...rest } = options;
  if (model.provider.kind === 'openai' && limit !== undefined) {
    const limited = [options.providerOptions, { openai: { maxCompletionTokens: limit } }];
    return { ...rest, providerOptions: mergeProviderOptions(limited)! };
  }
  const whole = limit ?? (model.provider.kind === 'anthropic' ? model.maxOutputTokens : undefined);
  // The SDK adds the tokens of thinking to the limit, which is for both.
  return whole === undefined ? options : { ...rest, maxOutputTokens: whole - thinkingBudget(options) };
}

interface MappedReply {
  readonly body: object;
  /** Undefined if the provider sent no counts. */
  readonly usage: TokenCounts | undefined;
}

/**
 * The SDK's results, one for each reply that was asked for, as a reply in the client's dialect. Each has the usage of all of them.
 * @throws ReplyError `unreadable` if one cannot be carried, is an error, or says nothing
 */
export function mapReply(
  results: readonly GenerateResult[],
  context: ReplyContext,
  notes: ReplyNotes,
): MappedReply {
  if (results.some(({ finishReason }) => hasFailed(finishReason))) {
    throw new ReplyError('unreadable', 'The model ended its reply with an error.');
  }
  if (results.some(isEmpty)) {
    throw new ReplyError('unreadable', 'The reply has neither content nor a reason to stop.');
  }
  const named = results.map(({ content, ...result }) => ({
    ...result,
    content: content.map((part) => withClientName(part, context.replacedNames)),
  }));
  const first = named[0]!;
  const usage = notes.usageUnknown ? UNKNOWN_USAGE : first.usage;
  if (context.dialect !== 'openai') {
    const reply = context.dialect === 'anthropic' ? anthropicReply : responsesReply;
    return { body: reply({ ...first, usage }, context, notes), usage: readUsage(usage) };
  }
  const bodies = named.map((result, choice) =>
    openaiReply({ ...result, usage }, { ...context, choice }, notes),
  );
  const body = { ...bodies[0], choices: bodies.flatMap(({ choices }) => choices) };
  return { body, usage: readUsage(usage) };
}

function hasFailed({ unified, raw }: FinishReason): boolean {
  return unified === 'error' || isFailure(raw);
}

/** Reasoning is not passed on, so it is no content. */
function isEmpty({ content, finishReason }: GenerateResult): boolean {
  if (finishReason.raw !== undefined) return false;
  return content.every((part) => part.type === 'reasoning' || (part.type === 'text' && part.text === ''));
}

interface MappedStream {
  /** Whole SSE events. Throws ReplyError if the reply cannot be carried, or ends before the model has finished. */
  readonly events: AsyncIterable<string>;
  /** Known after the last event; undefined if the provider sent no counts. */
  readonly usage: () => TokenCounts | undefined;
}

/**
 * The SDK's streams, one for each reply that was asked for, as events in the client's dialect, once each reply has begun: a failure before
 * that can be made good by another model. Each stream has the usage of all of them.
 * @param notes - called when the model has finished; what it throws ends the events
 * @param createEdit - for each stream, what replaces its parts before they are mapped; default: nothing
 * @throws ReplyError `unreadable` if a stream has no reply, or the provider's own error if a stream begins with it
 */
export async function mapStreams(
  streams: readonly ReadableStream<StreamPart>[],
  context: ReplyContext,
  notes: () => ReplyNotes,
  createEdit: () => PartEdit = () => (part) => [part],
): Promise<MappedStream> {
  const mapped = await Promise.all(
    streams.map((stream, choice) => mapStream(stream, { ...context, choice }, notes, createEdit())),
  );
  const [first] = mapped;
  if (mapped.length === 1) return first!;
  return { events: joinOpenaiStreams(mapped.map(({ events }) => events)), usage: first!.usage };
}

type PartEdit = (part: StreamPart) => readonly StreamPart[];

async function mapStream(
  stream: ReadableStream<StreamPart>,
  context: ReplyContext,
  notes: () => ReplyNotes,
  edit: PartEdit,
): Promise<MappedStream> {
  const reader = stream.getReader();
  let first = await reader.read();
  while (!first.done && isPreamble(first.value)) first = await reader.read();
  if (first.value?.type === 'error') throw first.value.error;
  if (first.value === undefined || isUnfinished(first.value)) {
    throw new ReplyError('unreadable', 'The stream holds no answer.');
  }
  if (first.value.type === 'file' && !carriesFile(context.dialect, first.value)) throw unexpectedFile();
  let usage: TokenCounts | undefined;
  const replace: PartEdit = (part) => edit(withClientName(part, context.replacedNames));
  const parts = readAll(reader, first, replace, (counts) => {
    const known = notes().usageUnknown ? UNKNOWN_USAGE : counts;
    usage = readUsage(known);
    return known;
  });
  return { events: STREAMS[context.dialect](parts, context, notes), usage: () => usage };
}

/** Parts that come before the reply, and do not show whether there will be one. */
const PREAMBLE: ReadonlySet<StreamPart['type']> = new Set([
  'stream-start',
  'response-metadata',
  'raw',
  'text-start',
  'text-end',
]);

function isPreamble(part: StreamPart): boolean {
  return PREAMBLE.has(part.type) || (part.type === 'text-delta' && part.delta === '');
}

/** The SDK also finishes streams that the provider did not. */
function isUnfinished(part: StreamPart): boolean {
  if (part.type !== 'finish') return false;
  return hasFailed(part.finishReason) || part.finishReason.raw === undefined;
}

/** Every part until the end or the first error, after which the SDK would go on. @param readCounts - replaces the counts at the end */
async function* readAll(
  reader: ReadableStreamDefaultReader<StreamPart>,
  first: Awaited<ReturnType<typeof reader.read>>,
  edit: PartEdit,
  readCounts: (usage: SdkUsage) => SdkUsage,
): AsyncGenerator<StreamPart> {
  try {
    for (let next = first; !next.done; next = await reader.read()) {
      const part = next.value;
      if (part.type === 'error') {
        throw new ReplyError('incomplete', 'The provider ended the stream with an error.');
      }
      if (isUnfinished(part)) throw unfinishedStream();
      yield* edit(part.type === 'finish' ? { ...part, usage: readCounts(part.usage) } : part);
    }
  } finally {
    // A consumer that stops early releases the provider; a stream that has ended or failed ignores this.
    await reader.cancel().catch(() => {});
  }
}

/** Replaces the SDK's placeholders if the provider sent no counts and the SDK requires some. */
const UNKNOWN_USAGE: SdkUsage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};
