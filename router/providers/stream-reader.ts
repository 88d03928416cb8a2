import type { Dialect, TokenCounts } from '../catalog/index.ts';
import { parseJson } from '../json/index.ts';
import { ExchangeError } from './exchange-error.ts';
import { hasChoice, isThrownByClient, reportedError } from './reported-error.ts';
import { type SseEvent, SseReader } from './sse.ts';
import { UsageReader } from './usage.ts';

/** OpenAI's end, also if the blank line after it is missing. */
const DONE = '[DONE]';
const UNFINISHED_DONE = /^data: ?\[DONE\]\s*$/;
/** The field itself: in a text inside JSON the quotes would have backslashes. OpenRouter ends what it could not finish with `error`. */
const FINISHED = /"finish_reason"\s*:\s*"(?!error"|")/;
const MESSAGE_STOP = /"type"\s*:\s*"message_stop"/;
/** Tells events of the reply from pings, warnings and content-filter results. */
const REPLY_EVENT: Readonly<Record<Dialect, RegExp>> = {
  openai: /"choices"\s*:\s*\[\s*\{/,
  anthropic: /"type"\s*:\s*"(?:message|content_block)_/,
};

/**
 * Watches the bytes of a streamed reply for its tokens, its end, and an error that the provider may have put in it. Events are searched as
 * text; only those that may hold counts or an error are parsed. The same bytes mean the same however they are cut.
 */
export class StreamReader {
  readonly #events = new SseReader();
  readonly #usage: UsageReader;
  readonly #dialect: Dialect;
  #begun = false;
  #withoutChoice = false;
  #firstError: string | undefined;
  /** The dialect's last event has come. */
  #done = false;
  /** The model has given its reason to finish. */
  #finished = false;
  /** An error has come that the client's own library throws. */
  #thrownByClient = false;
  /** An error has come that the client's library would take for the end of a whole reply. */
  #hiddenError = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#usage = new UsageReader(dialect);
  }

  /**
   * @returns how many bytes of this chunk may be passed on: all of them, unless an error came that the client would not notice. The stream
   *   then ends with that event, and nothing may be pushed any more.
   */
  push(chunk: Uint8Array): number {
    const events = this.#events.push(chunk);
    for (const [at, event] of events.entries()) {
      this.#read(event);
      if (this.#hiddenError) return this.#events.endOf(at);
    }
    return chunk.length;
  }

  /** Whether an event of the reply has come; pings, warnings and chunks without a choice are none. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the stream has ended, and all that it had were chunks of a chat completion without a choice. */
  get empty(): boolean {
    return !this.#begun && this.#done && this.#withoutChoice;
  }

  get done(): boolean {
    return this.#done;
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
   * choice has a `finish_reason`: not every server of that dialect sends `[DONE]`. Anthropic's is after `message_stop`.
   * @param cause what ended the stream early; undefined: a clean end
   */
  errorAtEnd(cause?: ExchangeError): ExchangeError | undefined {
    if (this.#thrownByClient || this.#hiddenError) {
      return new ExchangeError('reset', 'The provider ended the stream with an error.', this.#thrownByClient);
    }
    if (this.#done) return undefined;
    if (cause !== undefined) return cause;
    const rest = this.#events.unfinished();
    if (this.#dialect === 'openai' && (rest === '' ? this.#finished : UNFINISHED_DONE.test(rest))) {
      return undefined;
    }
    return new ExchangeError('reset', 'The stream ended before the answer had.');
  }

  #read({ event, data }: SseEvent): void {
    const named = event === 'error';
    if (named || data.includes('"error"')) this.#readError(event, data);
    this.#begun ||= this.#beginsReply(data);
    if (this.#dialect === 'anthropic') this.#done ||= event === 'message_stop' || MESSAGE_STOP.test(data);
    else if (data === DONE) this.#done = true;
    else this.#finished ||= FINISHED.test(data);
    this.#usage.read(data);
  }

  #readError(event: string, data: string): void {
    const json = parseJson(data);
    const error = reportedError(json) ?? (event === 'error' ? data : undefined);
    if (error === undefined) return;
    if (!this.#begun) {
      this.#firstError = error;
      this.#begun = true;
    }
    if (isThrownByClient(event, json, this.#dialect)) this.#thrownByClient = true;
    else this.#hiddenError = !this.#thrownByClient;
  }

  /** What is no JSON object is passed on as it came, right or wrong. */
  #beginsReply(data: string): boolean {
    if (data === '' || (data === DONE && this.#dialect === 'openai')) return false;
    if (REPLY_EVENT[this.#dialect].test(data)) return true;
    const json = parseJson(data);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return true;
    this.#withoutChoice ||= this.#dialect === 'openai' && 'choices' in json && !hasChoice(json);
    return false;
  }
}
