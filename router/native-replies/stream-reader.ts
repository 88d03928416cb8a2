import type { Dialect, TokenCounts } from '../catalog/index.ts';
import { saysSomething } from '../dialects/index.ts';
import { ExchangeError, isSeenByClient, reportedError, type SseEvent, SseReader } from '../exchange/index.ts';
import { isObject, type JsonEdit, parseJson } from '../json/index.ts';
import { editedBytes, StreamedStopReasons } from '../passthrough/index.ts';
import type { ReplyIdentity } from '../types.ts';
import { identityIn } from './reply-identity.ts';
import { lastNullUsage, NULL_USAGE, withoutUsage } from './stream-usage.ts';
import { UsageReader } from './usage.ts';

/** OpenAI's end, also if the blank line after it is missing. */
const DONE = '[DONE]';
const UNFINISHED_DONE = /^data: ?\[DONE\]\s*$/;
/** The field itself: in a text inside JSON the quotes would have backslashes. */
const FINISHED: Readonly<Record<Dialect, RegExp>> = {
  openai: /"finish_reason"\s*:\s*"(?!")/,
  anthropic: /"stop_reason"\s*:\s*"(?!")/,
  responses: /"type"\s*:\s*"response\.(?:completed|incomplete|failed)"/,
};
/** What an error, counts, the end and a call of a tool have, and a further piece of a text has not. */
const NOTABLE: Readonly<Record<Dialect, RegExp>> = {
  openai: /"(?:error"|name"|usage"\s*:\s*(?!null)|finish_reason"\s*:\s*")/,
  anthropic: /"(?:error"|usage"|stop_reason"|type"\s*:\s*"(?:tool_use|message_stop)")/,
  responses: /"(?:error"|usage")/,
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
  readonly #hidesUsage: boolean;
  /** Bytes of an event whose end has not arrived. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** The beginning of the event whose end has not come was passed on. */
  #cut = false;
  #begun = false;
  #identity: ReplyIdentity | undefined;
  #firstError: string | undefined;
  #unreadable = false;
  /** The dialect's last event has come. */
  #done = false;
  /** The model has given its reason to finish. */
  #finished = false;
  /** Data of the last event that has any. */
  #lastData = '';
  /** An error has come that the client's own library throws, or a response that says that it failed. */
  #thrownByClient = false;
  /** An error has come that the client's library would take for the end of a whole reply. */
  #hiddenError = false;

  /**
   * @param hidesUsage takes out what a provider adds because it was asked for the tokens of the stream
   * @param hasLogprobs the provider was asked for log-probabilities
   */
  constructor(dialect: Dialect, hidesUsage = false, hasLogprobs = false) {
    this.#dialect = dialect;
    this.#hidesUsage = hidesUsage;
    this.#usage = new UsageReader(dialect, hasLogprobs);
    this.#stopReasons = new StreamedStopReasons(dialect);
  }

  /**
   * @returns what may be passed on: the events that are whole by now, unless an error came that the client would not notice. The stream
   *   then ends with that event, and nothing may be pushed any more.
   */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const passed: Uint8Array[] = [];
    let from = 0;
    const events = this.#events.push(chunk);
    let start = this.#events.firstStart;
    for (const [at, event] of events.entries()) {
      const lacking = this.#lackingReason(event);
      const edits = this.#read(event);
      const end = this.#events.endOf(at);
      if (lacking !== undefined && !this.#cut) {
        if (start > from) passed.push(this.#withHeld(bytes.subarray(from, start)));
        passed.push(lacking);
        from = start;
      }
      const hides = this.#hidesUsage && event.data.includes('"usage"');
      if ((edits.length > 0 || hides) && !this.#cut) {
        const isWhole = hides && edits.length === 0 && this.#heldBytes === 0;
        const nullAt = isWhole ? lastNullUsage(bytes, start, end, event.data) : -1;
        if (nullAt === -1) {
          if (start > from) passed.push(this.#withHeld(bytes.subarray(from, start)));
          const whole = this.#withHeld(bytes.subarray(start, end));
          passed.push(hides ? withoutUsage(whole, event.data, edits) : editedBytes(whole, edits));
          from = end;
        } else {
          passed.push(bytes.subarray(from, nullAt));
          from = nullAt + NULL_USAGE.length;
        }
      }
      this.#cut = false;
      if (this.#hiddenError) return joined([...passed, this.#withHeld(bytes.subarray(from, end))]);
      start = end;
    }
    const whole = this.#events.unfinishedFrom;
    if (whole === chunk.length && from === 0 && passed.length === 0 && this.#heldBytes === 0) return chunk; // nearly always
    if (whole > from) passed.push(this.#withHeld(bytes.subarray(from, whole)));
    this.#hold(bytes.subarray(Math.max(from, whole)));
    if (this.#heldBytes <= MAX_HELD_BYTES) return joined(passed);
    this.#cut = true;
    return joined([...passed, this.takeHeld()]);
  }

  /** The bytes of an event whose end has not come. */
  takeHeld(): Uint8Array {
    const lacking = this.#unfinishedDone() ? this.#lackingReason({ event: '', data: DONE }) : undefined;
    const held = this.#withHeld(Buffer.alloc(0));
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

  #withHeld(bytes: Buffer): Buffer {
    if (this.#held.length === 0) return bytes;
    const all = Buffer.concat([...this.#held, bytes]);
    this.#held = [];
    this.#heldBytes = 0;
    return all;
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

  /** What the reply says about its model; undefined before it has, or if it does not. */
  identity(): ReplyIdentity | undefined {
    return this.#identity;
  }

  /** For a stream whose provider reports no counts. */
  estimatedOutputTokens(): number {
    return this.#usage.estimatedOutputTokens();
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
    if (this.#begun && this.#isText(event, data)) {
      this.#lastData = data;
      this.#usage.readText(data);
      return [];
    }
    const named = event === 'error';
    const ends = this.#ends(event, data);
    if (named || data.includes('"error"') || this.#isNoChunk(data) || (ends && MAY_HAVE_FAILED.test(data)))
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

  /** Whether an event has a further piece of the reply and nothing else that is looked for: nearly all have, and are searched once. */
  #isText(event: string, data: string): boolean {
    if (NOTABLE[this.#dialect].test(data)) return false;
    if (this.#dialect === 'openai') return event === 'message' && data.includes('"choices"');
    return event.endsWith(this.#dialect === 'anthropic' ? '_delta' : '.delta');
  }

  /** OpenAI's chunks have choices, all of them; what has none is a comment of the provider or an error of some form. */
  #isNoChunk(data: string): boolean {
    return this.#dialect === 'openai' && data !== '' && data !== DONE && !data.includes('"choices"');
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
    this.#identity ??= identityIn(json);
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
