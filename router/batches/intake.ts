import { PlimsollError } from '../errors.ts';
import type { JsonLimits } from '../json/index.ts';
import { type Endpoint, isFault, type LineFault, readLine } from './line.ts';

export interface IntakeLimits {
  readonly maxLines: number;
  /** For the whole file. */
  readonly maxFileBytes: number;
  /** Per line. */
  readonly maxLineBytes: number;
  readonly json: JsonLimits;
}

/** What a whole file came to. */
export interface CheckedFile {
  readonly bytes: number;
  /** Without empty ones. */
  readonly lines: number;
  /** What all lines ask for. */
  readonly url: Endpoint;
}

/** A fault is reported with this many others; then reading ends. */
const MAX_FAULTS = 5;
const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';

/** Checks the lines of a batch file as its bytes arrive, and hands on their text. Holds one line at most. */
export class Intake {
  readonly #limits: IntakeLimits;
  readonly #keep: (text: string) => Promise<void>;
  readonly #customIds = new Map<string, number>();
  readonly #faults: string[] = [];
  #firstFault: { readonly line: number; readonly field?: string } | undefined;
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #bytes = 0;
  #number = 0;
  #lines = 0;
  #url: Endpoint | undefined;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** @param keep called with each line and its line feed, in order, until a line is wrong */
  constructor(limits: IntakeLimits, keep: (text: string) => Promise<void>) {
    this.#limits = limits;
    this.#keep = keep;
  }

  /** Bytes of a line whose end has not come. */
  get heldBytes(): number {
    return this.#begunBytes;
  }

  /** @throws PlimsollError `too-large`; `invalid-input` as soon as five lines are wrong */
  async write(bytes: Buffer): Promise<void> {
    const { maxFileBytes, maxLineBytes } = this.#limits;
    this.#bytes += bytes.length;
    if (this.#bytes > maxFileBytes) {
      throw new PlimsollError(
        'too-large',
        `The file is larger than ${maxFileBytes} bytes (batches.max_file_bytes). Split it into several batches.`,
        { place: { field: 'file' } },
      );
    }
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, from)) {
      await this.#line(this.#whole(bytes.subarray(from, end + 1)));
      from = end + 1;
    }
    if (from === bytes.length) return;
    this.#begun.push(bytes.subarray(from));
    this.#begunBytes += bytes.length - from;
    if (this.#begunBytes <= maxLineBytes) return;
    this.#wrong(this.#number + 1, { why: this.#tooLong() });
    throw this.#refusal();
  }

  /** @throws PlimsollError `invalid-input` if a line is wrong, or there is none */
  async end(): Promise<CheckedFile> {
    if (this.#begunBytes > 0) await this.#line(this.#whole(Buffer.alloc(0)));
    if (this.#faults.length > 0) throw this.#refusal();
    if (this.#url === undefined) {
      throw new PlimsollError('invalid-input', 'The file has no lines. Write one request a line.', {
        place: { field: 'file' },
      });
    }
    return { bytes: this.#bytes, lines: this.#lines, url: this.#url };
  }

  #whole(last: Buffer): Buffer {
    if (this.#begunBytes === 0) return last;
    const whole = Buffer.concat([...this.#begun, last]);
    this.#begun = [];
    this.#begunBytes = 0;
    return whole;
  }

  async #line(bytes: Buffer): Promise<void> {
    const number = ++this.#number;
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      return this.#wrong(number, { why: 'is not UTF-8' });
    }
    if (number === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    if (text.trim() !== '') {
      if (++this.#lines > this.#limits.maxLines) throw this.#tooMany();
      const fault = this.#faultOf(text, bytes.length, number);
      if (fault !== undefined) return this.#wrong(number, fault);
    }
    if (this.#faults.length === 0) await this.#keep(text);
  }

  #faultOf(text: string, bytes: number, number: number): LineFault | undefined {
    if (bytes > this.#limits.maxLineBytes) return { why: this.#tooLong() };
    const line = readLine(text, this.#limits.json);
    if (isFault(line)) return line;
    const earlier = this.#customIds.get(line.customId);
    if (earlier !== undefined) return { field: 'custom_id', why: `is that of line ${earlier}` };
    this.#customIds.set(line.customId, number);
    this.#url ??= line.url;
    if (line.url !== this.#url)
      return { field: 'url', why: `must be ${this.#url} as in the lines before: a batch has one endpoint` };
    return undefined;
  }

  #wrong(line: number, { field, why }: LineFault): void {
    this.#firstFault ??= { line, ...(field !== undefined && { field }) };
    this.#faults.push(`Line ${line}${field === undefined ? '' : `, ${field}`}: ${why}.`);
    if (this.#faults.length >= MAX_FAULTS) throw this.#refusal();
  }

  #refusal(): PlimsollError {
    const rest = this.#faults.length >= MAX_FAULTS ? ' What follows was not read.' : '';
    return new PlimsollError(
      'invalid-input',
      `The file has broken lines, and nothing of it was kept. ${this.#faults.join(' ')}${rest} Correct them and upload the file again.`,
      { place: this.#firstFault ?? {} },
    );
  }

  #tooLong(): string {
    return `is longer than ${this.#limits.maxLineBytes} bytes (gateway.max_body_bytes)`;
  }

  #tooMany(): PlimsollError {
    return new PlimsollError(
      'too-many-entries',
      `The file has more than ${this.#limits.maxLines} lines (batches.max_lines). Split it into several batches.`,
      { place: { field: 'file' } },
    );
  }
}
