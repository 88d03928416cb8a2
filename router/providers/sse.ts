/** One server-sent event: its name (`message` if it has none) and its data lines, joined by line feeds. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/** A longer event is skipped: no event of a model comes near. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/**
 * Reads server-sent events as their bytes arrive: `push` returns the events that this chunk completed. The same bytes give the same events
 * however they are cut. Lines end with LF, CR or CRLF, which no UTF-8 character contains, so each line is decoded as a whole; invalid bytes
 * become U+FFFD. `id` and `retry` are not needed and not kept, and an event that the end cuts off is none.
 * A parser of text (`eventsource-parser`) does not do: passing a stream through byte for byte takes the byte at which each event ends, and
 * the rest that came without its blank line.
 * HTML standard, section 9.2.6 "Interpreting an event stream".
 */
export class SseReader {
  /** Pieces of a line whose end has not come. */
  #pieces: Uint8Array[] = [];
  #afterReturn = false;
  #firstLine = true;
  #event = '';
  #data: string[] = [];
  #eventBytes = 0;
  /** The end of each event of the last `push` within that chunk, in bytes. */
  #ends: number[] = [];
  readonly #maxEventBytes: number;

  constructor(maxEventBytes: number = MAX_EVENT_BYTES) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    this.#ends = [];
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = this.#lineStart(bytes, 0);
    let feed = bytes.indexOf(LINE_FEED, start);
    let back = bytes.indexOf(CARRIAGE_RETURN, start);
    while (feed !== -1 || back !== -1) {
      const end = back === -1 || (feed !== -1 && feed < back) ? feed : back;
      this.#endLine(bytes.subarray(start, end), events);
      this.#afterReturn = end === back;
      start = this.#lineStart(bytes, end + 1);
      while (this.#ends.length < events.length) this.#ends.push(start);
      if (feed !== -1 && feed < start) feed = bytes.indexOf(LINE_FEED, start);
      if (back !== -1 && back < start) back = bytes.indexOf(CARRIAGE_RETURN, start);
    }
    this.#keep(bytes.subarray(start));
    return events;
  }

  /** Where event number `at` of the last `push` ended, in bytes from the start of its chunk. */
  endOf(at: number): number {
    return this.#ends[at]!;
  }

  /** The lines of an event whose end has not come, the last one as far as it came; empty between two events. Comments are none. */
  unfinished(): string {
    const line = Buffer.concat(this.#pieces).toString('utf8');
    const lines = this.#data.map((data) => `data: ${data}`);
    if (this.#event !== '') lines.unshift(`event: ${this.#event}`);
    return [...lines, ...(line === '' || line.startsWith(':') ? [] : [line])].join('\n');
  }

  /** `at`, or the place after it if a line feed is there that belongs to the CR before. */
  #lineStart(bytes: Buffer, at: number): number {
    if (!this.#afterReturn || at >= bytes.length) return at;
    this.#afterReturn = false;
    return bytes[at] === LINE_FEED ? at + 1 : at;
  }

  /** Copied: the chunk is a part of the socket's buffer. Of a skipped event one byte is kept, so that its line is not empty. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#eventBytes += bytes.length;
    if (this.#eventBytes <= this.#maxEventBytes) this.#pieces.push(Buffer.from(bytes));
    else this.#pieces = [Buffer.from(bytes.subarray(0, 1))];
  }

  #endLine(bytes: Buffer, events: SseEvent[]): void {
    this.#eventBytes += bytes.length;
    const line = this.#pieces.length === 0 ? bytes : Buffer.concat([...this.#pieces, bytes]);
    this.#pieces = [];
    const text = this.#eventBytes <= this.#maxEventBytes ? line.toString('utf8') : ':';
    const content = this.#firstLine && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    this.#firstLine = false;
    if (line.length === 0 || content === '') this.#dispatch(events);
    else this.#field(content);
  }

  #dispatch(events: SseEvent[]): void {
    if (this.#data.length > 0 && this.#eventBytes <= this.#maxEventBytes) {
      events.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') });
    }
    this.#event = '';
    this.#data = [];
    this.#eventBytes = 0;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.#data.push(value);
    if (name === 'event') this.#event = value;
  }
}
