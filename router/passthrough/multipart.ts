import { invalidField, PlimsollError } from '../errors.ts';
import { type Disposition, disposition } from './disposition.ts';

export const HYPHENS = '--';
export const LINE = '\r\n';
export const HEAD_END = '\r\n\r\n';
const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i;
/** A head is a few short lines; a longer one is no form of a client. */
export const MAX_HEAD_BYTES = 16 * 1024;
/** More parts than any form of these routes has. */
const MAX_PARTS = 1_000;

/** A text field of a form, and where its value is. */
interface FormField {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A field of multipart/form-data (RFC 7578), found without decoding the others: files pass through byte for byte, which a parser of forms
 * does not allow.
 * @returns undefined if there is no such field
 * @throws PlimsollError `invalid-input` if the body is no such form, or has the field twice or as a file: the provider may read another one
 */
export function formField(body: Buffer, contentType: string, name: string): FormField | undefined {
  const boundary = boundaryOf(contentType);
  let found: FormField | undefined;
  for (const part of parts(body, boundary)) {
    if (part.name !== name) continue;
    if (part.isFile) throw invalidField(name, 'must be a text, not a file');
    if (found !== undefined) throw invalidField(name, 'is there more than once; send it once');
    found = { value: body.toString('utf8', part.start, part.end), start: part.start, end: part.end };
  }
  return found;
}

/** @throws PlimsollError `invalid-input` if the content type names none */
export function boundaryOf(contentType: string): string {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw noForm('the content type names no boundary');
  return boundary;
}

/** The same form with another value of the field. */
export function withFormValue(body: Buffer, { start, end }: FormField, value: string): Buffer {
  return Buffer.concat([body.subarray(0, start), Buffer.from(value), body.subarray(end)]);
}

interface Part extends Disposition {
  readonly start: number;
  readonly end: number;
}

function* parts(body: Buffer, boundary: string): Generator<Part> {
  const delimiter = Buffer.from(`${LINE}${HYPHENS}${boundary}`);
  const opening = delimiter.subarray(LINE.length); // may be at the very beginning, without a line before it
  const first = nextDelimiter(body, opening, 0);
  if (first === -1) throw noForm('its boundary is not there');
  let at = first + opening.length;
  for (let count = 0; count < MAX_PARTS; count++) {
    if (body.toString('latin1', at, at + HYPHENS.length) === HYPHENS) return;
    const headStart = body.indexOf(LINE, at);
    const headEnd = headStart === -1 ? -1 : body.indexOf(HEAD_END, headStart);
    if (headEnd === -1 || headEnd - headStart > MAX_HEAD_BYTES) throw noForm('a part has no head');
    const end = nextDelimiter(body, delimiter, headEnd + HEAD_END.length);
    if (end === -1) throw noForm('its last boundary is missing');
    const head = body.toString('utf8', headStart, headEnd);
    yield { ...dispositionOf(head), start: headEnd + HEAD_END.length, end };
    at = end + delimiter.length;
  }
  throw noForm(`it has more than ${MAX_PARTS} parts`);
}

/** What follows a delimiter. */
export const DELIMITER_END = /^(?:--|[ \t]*\r\n)/;
export const MAX_PADDING = 100;

/** What only begins like a delimiter is content. */
function nextDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  for (let at = body.indexOf(delimiter, from); at !== -1; at = body.indexOf(delimiter, at + 1)) {
    const after = at + delimiter.length;
    if (DELIMITER_END.test(body.toString('latin1', after, after + MAX_PADDING))) return at;
  }
  return -1;
}

/** @throws PlimsollError `invalid-input` if it is ambiguous */
export function dispositionOf(head: string): Disposition {
  const found = disposition(head);
  if (found === undefined) throw noForm('the Content-Disposition of a part is broken, or there twice');
  return found;
}

export function noForm(why: string): PlimsollError {
  return new PlimsollError('invalid-input', `The body is no multipart/form-data: ${why}.`);
}
