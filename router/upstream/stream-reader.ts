import type { Dialect, TokenCounts } from '../catalog/types.ts';
import { UpstreamBroken } from './broken.ts';
import { hasError, parsed } from './error-in-answer.ts';
import { type SseEvent, SseReader } from './sse.ts';
import { UsageReader } from './usage.ts';

/** OpenAI's end, also where the blank line behind it is missing. */
const DONE = '[DONE]';
const UNFINISHED_DONE = /^data: ?\[DONE\]\s*$/;
/** Of the model, and not of a text: in a text of JSON the quotes would have backslashes. `error` is how OpenRouter ends what it could not finish. */
const FINISHED = /"finish_reason"\s*:\s*"(?!error"|")/;
const MESSAGE_STOP = /"type"\s*:\s*"message_stop"/;

/**
 * Reads a streamed answer beside its bytes: its tokens, its end, and the error that the provider may have put in it. Events are searched
 * as text; only those that may hold counts or an error are parsed. The same bytes mean the same however they are cut.
 */
export class StreamReader {
  readonly #events = new SseReader();
  readonly #usage: UsageReader;
  readonly #dialect: Dialect;
  #begun = false;
  #firstError: string | undefined;
  /** The dialect's last event has come. */
  #done = false;
  /** The model has said why it ended. */
  #finished = false;
  #told = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#usage = new UsageReader(dialect);
  }

  push(chunk: Uint8Array): void {
    for (const event of this.#events.push(chunk)) this.#read(event);
  }

  /** Whether a whole event has come. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The JSON of the first event where that is an error. */
  get firstError(): string | undefined {
    return this.#firstError;
  }

  /** Undefined until the provider has named the final counts. */
  usage(): TokenCounts | undefined {
    return this.#usage.usage();
  }

  /**
   * What an end after the bytes so far means: undefined where the answer is whole. OpenAI's is with `[DONE]`, or between two events
   * once a choice has a `finish_reason`: not every server of that dialect sends `[DONE]`. Anthropic's is with `message_stop`.
   * @param cause what broke the stream off; undefined: a clean end
   */
  brokenAtEnd(cause?: UpstreamBroken): UpstreamBroken | undefined {
    if (this.#told) return new UpstreamBroken('reset', 'The provider ended the stream with an error.', true);
    if (this.#done) return undefined;
    if (cause !== undefined) return cause;
    const rest = this.#events.unfinished();
    if (this.#dialect === 'openai' && (rest === '' ? this.#finished : UNFINISHED_DONE.test(rest))) {
      return undefined;
    }
    return new UpstreamBroken('reset', 'The stream ended before the answer had.');
  }

  #read({ event, data }: SseEvent): void {
    const told = event === 'error' || (data.includes('"error"') && hasError(parsed(data)));
    if (told && !this.#begun) this.#firstError = data;
    this.#begun = true;
    this.#told ||= told;
    if (this.#dialect === 'anthropic') this.#done ||= event === 'message_stop' || MESSAGE_STOP.test(data);
    else if (data === DONE) this.#done = true;
    else this.#finished ||= FINISHED.test(data);
    this.#usage.read(data);
  }
}
