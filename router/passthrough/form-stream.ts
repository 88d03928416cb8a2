import {
  boundaryOf,
  DELIMITER_END,
  dispositionOf,
  HEAD_END,
  HYPHENS,
  LINE,
  MAX_HEAD_BYTES,
  MAX_PADDING,
  noForm,
} from './multipart.ts';

/** What comes of a form: the head of a part, then its content in as many pieces as it takes. */
export type FormPiece =
  | { readonly kind: 'part'; readonly name: string | undefined; readonly fileName: string | undefined }
  | { readonly kind: 'content'; readonly bytes: Buffer };

/** The beginning of what may become the end of a delimiter. */
const DELIMITER_END_BEGUN = /^(?:-?|[ \t]*\r?)$/;

/**
 * Reads multipart/form-data (RFC 7578) as it arrives, for files that are too large to be held. What follows the last boundary is left unread.
 * @throws PlimsollError `invalid-input` if it is no such form
 */
export async function* formPieces(
  body: AsyncIterable<Buffer>,
  contentType: string,
): AsyncGenerator<FormPiece> {
  const reader = new FormReader(boundaryOf(contentType));
  for await (const bytes of body) {
    yield* reader.push(bytes);
    if (reader.place === 'end') return;
  }
  throw noForm(reader.place === 'preamble' ? 'its boundary is not there' : 'its last boundary is missing');
}

class FormReader {
  place: 'preamble' | 'head' | 'content' | 'end' = 'preamble';
  readonly #delimiter: Buffer;
  /** Begins with a line end, so that the first boundary is found as the others are. */
  #held: Buffer = Buffer.from(LINE);

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`${LINE}${HYPHENS}${boundary}`);
  }

  *push(bytes: Buffer): Generator<FormPiece> {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.place !== 'end') {
      const before = this.place;
      if (before === 'head') yield* this.#head();
      else yield* this.#content();
      if (this.place === before) return; // more has to come
    }
  }

  *#head(): Generator<FormPiece> {
    const end = this.#held.indexOf(HEAD_END);
    if (end === -1 ? this.#held.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES)
      throw noForm('a part has no head');
    if (end === -1) return;
    const { name, fileName } = dispositionOf(this.#held.toString('utf8', 0, end));
    this.#held = this.#held.subarray(end + HEAD_END.length);
    this.place = 'content';
    yield { kind: 'part', name, fileName };
  }

  *#content(): Generator<FormPiece> {
    const delimiter = this.#delimiter;
    let from = 0;
    for (;;) {
      const at = this.#held.indexOf(delimiter, from);
      if (at === -1) return yield* this.#take(Math.max(from, this.#held.length - delimiter.length + 1));
      const after = at + delimiter.length;
      const rest = this.#held.toString('latin1', after, after + MAX_PADDING);
      if (DELIMITER_END.test(rest)) {
        yield* this.#take(at);
        this.#held = this.#held.subarray(delimiter.length);
        this.place = rest.startsWith(HYPHENS) ? 'end' : 'head';
        return;
      }
      if (rest.length < MAX_PADDING && DELIMITER_END_BEGUN.test(rest)) return yield* this.#take(at);
      from = at + 1; // what only begins like a delimiter is content
    }
  }

  *#take(length: number): Generator<FormPiece> {
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    if (length > 0 && this.place === 'content') yield { kind: 'content', bytes };
  }
}
