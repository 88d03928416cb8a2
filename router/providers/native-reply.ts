import type { Dialect, TokenCounts } from '../catalog/index.ts';
import { saysSomething } from '../dialects/index.ts';
import {
  countIn,
  fieldIn,
  isObject,
  type JsonEdit,
  type JsonObject,
  objectIn,
  parseJson,
} from '../json/index.ts';
import type { MemoryShare } from '../memory-budget.ts';
import { editedBytes, StreamedStopReasons, stopReasonEdits } from '../passthrough/index.ts';
import type { Mutable } from '../types.ts';
import { EMPTY_REPLY, isSeenByClient, missingContent, reportedError, reportedFailure } from './error-body.ts';
import type { Head, OpenExchange } from './exchange.ts';
import { takeLogprobs } from './logprobs.ts';
import { ExchangeError, failedAttempt } from './provider-error.ts';
import {
  clientHeaders,
  contentEncoding,
  decodedBody,
  isTooComplex,
  type SseEvent,
  SseReader,
  TOO_COMPLEX,
  wholeBody,
} from './response.ts';
import type { AttemptOutcome, ProviderCall, ReplyBody } from './types.ts';

type Bytes = AsyncGenerator<Uint8Array>;

/** The byte order mark that some servers put before their JSON; not every client takes it. */
const MARK = Buffer.from('\ufeff');

/**
 * A plain reply is held until its JSON has been checked, and is a failure if that is an error or lacks what the API promises. Its bytes
 * stay as they are, but for a byte order mark, the reason to stop of tool calls (`stopReasonEdits`) and log-probabilities that the client did not ask for. One of more than `maxBytes`, or for which there is no
 * memory, passes through unchecked, and its usage is unknown.
 */
export async function plainReply(
  call: ProviderCall,
  { exchange, head }: OpenExchange,
  idleMs: number,
  key: string | undefined,
  maxBytes: number,
): Promise<AttemptOutcome> {
  const encoded = contentEncoding(head) !== undefined;
  const whole = encoded ? undefined : await exchange.whole(maxBytes, idleMs, call.memory);
  const body = whole ?? (await held(decodedBody(exchange, head, idleMs), maxBytes, call.memory));
  if (!Buffer.isBuffer(body)) {
    const headers = clientHeaders(head.headers, encoded, key);
    return { kind: 'reply', status: head.status, headers, body, usage: () => undefined };
  }
  if (isTooComplex(body)) return failedAttempt(call.model, 'bad-answer', head.status, TOO_COMPLEX);
  const marked = body.subarray(0, MARK.length).equals(MARK);
  const own = marked ? body.subarray(MARK.length) : body;
  const taken = call.logprobs ? takeLogprobs(call, own) : undefined;
  const shown = taken === undefined ? own : Buffer.from(taken.body);
  const json = parseJson(shown.toString('utf8'));
  if (typeof json !== 'object' || json === null) {
    return failedAttempt(call.model, 'bad-answer', head.status, 'answered with JSON that is broken');
  }
  const error = reportedError(json);
  if (error !== undefined) return reportedFailure(call, head, error, key);
  const missing = missingContent(json, call);
  if (missing !== undefined) return failedAttempt(call.model, 'bad-answer', head.status, missing);
  const usage = parseUsage(json, call.dialect);
  const edits = call.operation === 'chat' ? stopReasonEdits(json, call.dialect) : [];
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, encoded || edits.length > 0 || shown !== body, key),
    body: wholeBody(edits.length > 0 ? editedBytes(shown, edits) : shown),
    usage: () => usage,
    ...(taken && { takeLogprobs: (whole: Uint8Array) => ({ body: whole, logprobs: taken.logprobs }) }),
  };
}

/** All of it, or a body to be read piece by piece if it has more than `maxBytes` or there is no memory for it. */
async function held(bytes: Bytes, maxBytes: number, memory?: MemoryShare): Promise<Buffer | ReplyBody> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= maxBytes; ) {
    const next = await bytes.next();
    if (next.done) return Buffer.concat(chunks);
    chunks.push(next.value);
    size += next.value.length;
    if (memory?.add(next.value.length) === false) break;
  }
  return passThrough(chunks, bytes);
}

/** Maximum size of an unterminated first event; provider errors are shorter. */
const MAX_FIRST_EVENT_BYTES = 64 * 1024;
/** The first events of a response repeat the request's instructions and tools. */
const MAX_FIRST_RESPONSE_BYTES = 16 * 1024 * 1024;

/**
 * A stream counts as a reply with the first event that has a piece of its content, or a reason to stop. What comes before is held: comments,
 * pings, warnings, chunks without a choice, the beginnings of the message and its texts.
 * From then on its bytes pass through, event by event and unchanged but for a reason to stop, while usage and end are read. An error before the reply is a failure, and so is an event
 * that is no JSON object, and a stream that ends before it counts. The body throws ExchangeError also after a clean end that came before the reply's.
 */
export async function streamedReply(
  call: ProviderCall,
  head: Head,
  bytes: Bytes,
  key: string | undefined,
): Promise<AttemptOutcome> {
  const reader = new StreamReader(call.dialect);
  const most = call.dialect === 'responses' ? MAX_FIRST_RESPONSE_BYTES : MAX_FIRST_EVENT_BYTES;
  const first = await firstChunks(bytes, reader, most);
  if (first === undefined || reader.empty) {
    await bytes.return(undefined);
    const fault = reader.empty ? EMPTY_REPLY : 'ended its stream before the answer began';
    return failedAttempt(call.model, 'bad-answer', head.status, fault);
  }
  if (reader.unreadable) {
    await bytes.return(undefined);
    return failedAttempt(call.model, 'bad-answer', head.status, 'gave an answer that could not be read');
  }
  if (reader.firstError !== undefined) {
    await bytes.return(undefined);
    return reportedFailure(call, head, reader.firstError, key);
  }
  return {
    kind: 'reply',
    status: head.status,
    headers: clientHeaders(head.headers, contentEncoding(head) !== undefined, key),
    body: passThrough(first, bytes, reader),
    usage: () => reader.usage(),
    ...(call.logprobs && { takeLogprobs: (whole: Uint8Array) => takeLogprobs(call, whole) }),
  };
}

/** Undefined if the stream ends before. */
async function firstChunks(
  bytes: Bytes,
  reader: StreamReader,
  most: number,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= most && !reader.begun && !reader.done; ) {
    const next = await bytes.next();
    if (next.done) return undefined;
    chunks.push(reader.push(next.value));
    size += next.value.length;
  }
  return chunks;
}

/**
 * `first`, then `rest`, chunk by chunk, each shown to `reader`. Written out and not as a generator: the `return` of a generator that was
 * never begun would not reach `rest`, and the connection would stay.
 */
function passThrough(first: readonly Uint8Array[], rest: Bytes, reader?: StreamReader): ReplyBody {
  const waiting = first.filter(({ length }) => length > 0);
  const next = reader === undefined ? () => rest.next() : readingNext(rest, reader);
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const chunk = waiting.shift();
      return chunk === undefined ? next() : { done: false, value: chunk };
    },
    return: async () => {
      waiting.length = 0;
      return rest.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** However the bytes end, only the reply's end counts: what comes after it cannot fail it. An event that the end cuts off passes too. */
function readingNext(bytes: Bytes, reader: StreamReader): () => Promise<IteratorResult<Uint8Array>> {
  let end: { readonly error: ExchangeError | undefined } | undefined;
  return async () => {
    while (end === undefined) {
      let cause: ExchangeError | undefined;
      try {
        const next = reader.hiddenError ? await bytes.return(undefined) : await bytes.next();
        if (!next.done) {
          const value = reader.push(next.value);
          if (value.length > 0) return { done: false, value };
          continue;
        }
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        cause = error;
      }
      end = { error: reader.errorAtEnd(cause) };
      const value = reader.takeHeld();
      if (value.length > 0) return { done: false, value };
    }
    if (end.error !== undefined) throw end.error;
    return { done: true, value: undefined };
  };
}

/** OpenAI's end, also if the blank line after it is missing. */
const DONE = '[DONE]';
const UNFINISHED_DONE = /^data: ?\[DONE\]\s*$/;
/** The field itself: in a text inside JSON the quotes would have backslashes. */
const FINISHED: Readonly<Record<Dialect, RegExp>> = {
  openai: /"finish_reason"\s*:\s*"(?!")/,
  anthropic: /"stop_reason"\s*:\s*"(?!")/,
  responses: /"type"\s*:\s*"response\.(?:completed|incomplete|failed)"/,
};
/** What may be a reason to finish that means a failure. */
const MAY_HAVE_FAILED =
  /_reason"\s*:\s*"[^"]{0,40}(?:err|abort|insufficient|malformed|unexpected|too_many|missing)/i;
const MESSAGE_STOP = /"type"\s*:\s*"message_stop"/;
/** The last event of a response, by its name. */
const RESPONSE_END = /^response\.(?:completed|incomplete|failed)$/;
/** An unfinished event that is longer passes piece by piece, and is not edited: the end of a reply is shorter. */
const MAX_HELD_BYTES = 1024 * 1024;

/**
 * Watches the bytes of a streamed reply for its tokens, its end, and an error that the provider may have put in it, and edits the reason
 * to stop of tool calls. Events are searched as text; only those that may hold counts, an error or such a reason are parsed. The same bytes
 * mean the same however they are cut.
 */
export class StreamReader {
  readonly #events = new SseReader();
  readonly #usage: UsageReader;
  readonly #stopReasons: StreamedStopReasons;
  readonly #dialect: Dialect;
  /** Of an event whose end has not come. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** The beginning of the event whose end has not come was passed on. */
  #cut = false;
  #begun = false;
  #firstError: string | undefined;
  #unreadable = false;
  /** The dialect's last event has come. */
  #done = false;
  /** The model has given its reason to finish. */
  #finished = false;
  /** Of the last event that has any. */
  #lastData = '';
  /** An error has come that the client's own library throws, or a response that says that it failed. */
  #thrownByClient = false;
  /** An error has come that the client's library would take for the end of a whole reply. */
  #hiddenError = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#usage = new UsageReader(dialect);
    this.#stopReasons = new StreamedStopReasons(dialect);
  }

  /**
   * @returns what may be passed on: the events that are whole by now, unless an error came that the client would not notice. The stream
   *   then ends with that event, and nothing may be pushed any more.
   */
  push(chunk: Uint8Array): Uint8Array {
    const passed: Uint8Array[] = [];
    let from = 0;
    const events = this.#events.push(chunk);
    let start = this.#events.firstStart;
    for (const [at, event] of events.entries()) {
      const lacking = this.#lackingReason(event);
      const edits = this.#read(event);
      const end = this.#events.endOf(at);
      if (lacking !== undefined && !this.#cut) {
        if (start > from) passed.push(this.#withHeld(chunk.subarray(from, start)));
        passed.push(lacking);
        from = start;
      }
      if (edits.length > 0 && !this.#cut) {
        if (start > from) passed.push(this.#withHeld(chunk.subarray(from, start)));
        passed.push(editedBytes(this.#withHeld(chunk.subarray(start, end)), edits));
        from = end;
      }
      this.#cut = false;
      if (this.#hiddenError) return joined([...passed, this.#withHeld(chunk.subarray(from, end))]);
      start = end;
    }
    const whole = this.#events.unfinishedFrom;
    if (whole === chunk.length && from === 0 && passed.length === 0 && this.#heldBytes === 0) return chunk; // nearly always
    if (whole > from) passed.push(this.#withHeld(chunk.subarray(from, whole)));
    this.#hold(chunk.subarray(Math.max(from, whole)));
    if (this.#heldBytes <= MAX_HELD_BYTES) return joined(passed);
    this.#cut = true;
    return joined([...passed, this.takeHeld()]);
  }

  /** The bytes of an event whose end has not come. */
  takeHeld(): Uint8Array {
    const lacking = this.#unfinishedDone() ? this.#lackingReason({ event: '', data: DONE }) : undefined;
    const held = this.#withHeld(new Uint8Array());
    return lacking === undefined ? held : Buffer.concat([lacking, held]);
  }

  #unfinishedDone(): boolean {
    return this.#dialect === 'openai' && UNFINISHED_DONE.test(this.#events.unfinished());
  }

  /** What a stream that ends with this event must have before it: see `StreamedStopReasons.missing`. */
  #lackingReason({ event, data }: SseEvent): Uint8Array | undefined {
    if (!this.#stopReasons.called || this.#finished || this.#done) return undefined;
    const ends = this.#dialect === 'openai' ? data === DONE : this.#isMessageStop(event, data);
    if (!ends) return undefined;
    return Buffer.from(this.#stopReasons.missing(parseJson(this.#lastData), this.#usage.outputTokens));
  }

  #isMessageStop(event: string, data: string): boolean {
    return event === 'message_stop' || MESSAGE_STOP.test(data);
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #withHeld(bytes: Uint8Array): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([...this.#held, bytes]);
    this.#held = [];
    this.#heldBytes = 0;
    return Buffer.from(all.buffer, all.byteOffset, all.byteLength);
  }

  /** Whether a piece of the reply's content has come, or its reason to stop. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the stream has come to the dialect's end before that. */
  get empty(): boolean {
    return !this.#begun && this.#done;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Whether something that is no JSON object came before the reply had begun: clients read its fields at once, and end. */
  get unreadable(): boolean {
    return this.#unreadable;
  }

  /** The JSON of the error that came before the reply had begun. */
  get firstError(): string | undefined {
    return this.#firstError;
  }

  /** Whether an error has come that the client's own library would not throw. */
  get hiddenError(): boolean {
    return this.#hiddenError;
  }

  /** Undefined until the provider has named the final counts. */
  usage(): TokenCounts | undefined {
    return this.#usage.usage();
  }

  /**
   * What an end after the bytes so far means: undefined if the reply is whole. OpenAI's is after `[DONE]`, or between two events once a
   * choice has a `finish_reason`: not every server of that dialect sends `[DONE]`. Anthropic's is after `message_stop`, that of the Responses
   * API after the event with the whole response.
   * @param cause what ended the stream early; undefined: a clean end
   */
  errorAtEnd(cause?: ExchangeError): ExchangeError | undefined {
    if (this.#thrownByClient || this.#hiddenError) {
      return new ExchangeError('reset', 'The provider ended the stream with an error.', this.#thrownByClient);
    }
    if (this.#done) return undefined;
    if (cause !== undefined) return cause;
    const rest = this.#events.unfinished();
    if (this.#dialect === 'openai' && (rest === '' ? this.#finished : this.#unfinishedDone())) {
      return undefined;
    }
    return new ExchangeError('reset', 'The stream ended before the answer had.');
  }

  /** @returns what to edit in the event's JSON */
  #read({ event, data }: SseEvent): JsonEdit[] {
    const named = event === 'error';
    const ends = this.#ends(event, data);
    if (named || data.includes('"error"') || (ends && MAY_HAVE_FAILED.test(data)))
      this.#readError(event, data);
    if (!this.#begun) this.#readBeforeReply(data);
    if (this.#dialect === 'anthropic') this.#done ||= this.#isMessageStop(event, data);
    else if (this.#dialect === 'responses') this.#done ||= ends;
    else this.#done ||= data === DONE;
    this.#finished ||= ends; // if that was a failure, `#hiddenError` counts
    if (data !== '') this.#lastData = data;
    this.#usage.read(data);
    return this.#stopReasons.edits(data);
  }

  /** Whether the model has finished with this event. */
  #ends(event: string, data: string): boolean {
    const named = this.#dialect === 'responses' && event !== '';
    return named ? RESPONSE_END.test(event) : FINISHED[this.#dialect].test(data);
  }

  #readError(event: string, data: string): void {
    const json = parseJson(data);
    const error = reportedError(json) ?? (event === 'error' ? data : undefined);
    if (error === undefined) return;
    if (!this.#begun) {
      this.#firstError = error;
      this.#begun = true;
    }
    if (isSeenByClient(event, json, this.#dialect)) this.#thrownByClient = true;
    else this.#hiddenError = !this.#thrownByClient;
  }

  #readBeforeReply(data: string): void {
    if (data === '' || (data === DONE && this.#dialect === 'openai')) return;
    const json = parseJson(data);
    this.#begun = saysSomething(json, this.#dialect);
    if (this.#begun || isObject(json)) return;
    this.#begun = true;
    this.#unreadable = true;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(), second] = pieces;
  return second === undefined ? first : Buffer.concat(pieces);
}

/**
 * Tokens of a plain reply. `inputTokens` is all of the input, including what the provider had in its cache: OpenAI counts so, and
 * Anthropic's three counts are added. Undefined if a count is missing.
 * OpenAI API reference, "The chat completion object" and "Embeddings"; Anthropic API reference, "Messages", field `usage`. OpenAI's
 * `cache_write_tokens` as @ai-sdk/openai reads it: part of `prompt_tokens`.
 */
export function parseUsage(reply: unknown, dialect: Dialect): TokenCounts | undefined {
  const counts = objectIn(reply, 'usage');
  return USAGES[dialect](counts);
}

const USAGES: Readonly<Record<Dialect, (counts: JsonObject) => TokenCounts | undefined>> = {
  openai: openaiUsage,
  anthropic: anthropicUsage,
  responses: responsesUsage,
};

/**
 * Tokens of a streamed reply, read event by event while it passes. The last count that a provider reports holds: OpenAI's comes in the chunk
 * after the text (if the client asked for it), Anthropic's input in `message_start` and its output in `message_delta`. A later 0 does
 * not undo an earlier count: some servers repeat fields in `message_delta` that they have no value for.
 */
class UsageReader {
  readonly #dialect: Dialect;
  #counts: JsonObject = {};
  #final = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** `data` is that of one event. Most are text: only those that may hold counts are parsed. */
  read(data: string): void {
    if (data.includes('"usage"') && !data.includes('"usage":null')) this.#count(data);
  }

  /** Undefined until the provider has reported the final counts. */
  usage(): TokenCounts | undefined {
    return this.#final ? parseUsage({ usage: this.#counts }, this.#dialect) : undefined;
  }

  /** As far as the provider has counted. */
  get outputTokens(): number {
    return countIn(this.#counts, this.#dialect === 'openai' ? 'completion_tokens' : 'output_tokens') ?? 0;
  }

  #count(data: string): void {
    const event = parseJson(data);
    const usage = fieldIn(event, 'usage');
    const holder = fieldIn(event, this.#dialect === 'responses' ? 'response' : 'message');
    const counts = isObject(usage) ? usage : fieldIn(holder, 'usage');
    if (!isObject(counts)) return;
    const known = Object.entries(counts).filter(
      ([name, value]) => value !== null && !(value === 0 && this.#counts[name] !== undefined),
    );
    this.#counts = { ...this.#counts, ...Object.fromEntries(known) };
    this.#final ||= this.#dialect !== 'anthropic' || fieldIn(event, 'type') === 'message_delta';
  }
}

function openaiUsage(counts: JsonObject): TokenCounts | undefined {
  const inputTokens = countIn(counts, 'prompt_tokens');
  // Embeddings have a total and no output: the rest of the total is 0.
  const rest = (countIn(counts, 'total_tokens') ?? Number.NaN) - (inputTokens ?? Number.NaN);
  const outputTokens = countIn(counts, 'completion_tokens') ?? (rest >= 0 ? rest : undefined);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = objectIn(counts, 'prompt_tokens_details');
  return withCache(
    { inputTokens, outputTokens },
    countIn(details, 'cached_tokens'),
    countIn(details, 'cache_write_tokens'),
  );
}

/** OpenAI API reference, "The response object", field `usage`. */
function responsesUsage(counts: JsonObject): TokenCounts | undefined {
  const inputTokens = countIn(counts, 'input_tokens');
  const outputTokens = countIn(counts, 'output_tokens');
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = objectIn(counts, 'input_tokens_details');
  return withCache(
    { inputTokens, outputTokens },
    countIn(details, 'cached_tokens'),
    countIn(details, 'cache_write_tokens'),
  );
}

function anthropicUsage(counts: JsonObject): TokenCounts | undefined {
  const fresh = countIn(counts, 'input_tokens');
  const outputTokens = countIn(counts, 'output_tokens');
  if (fresh === undefined || outputTokens === undefined) return undefined;
  const read = countIn(counts, 'cache_read_input_tokens');
  const written = countIn(counts, 'cache_creation_input_tokens');
  return withCache({ inputTokens: fresh + (read ?? 0) + (written ?? 0), outputTokens }, read, written);
}

function withCache(
  counts: Mutable<TokenCounts>,
  read: number | undefined,
  written: number | undefined,
): TokenCounts {
  if (read !== undefined) counts.cachedInputTokens = read;
  if (written !== undefined) counts.cacheWriteInputTokens = written;
  return counts;
}
