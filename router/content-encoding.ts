import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** RFC 9110, section 8.4.1. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** Whether `decoderOf` can undo it. */
export function isKnownEncoding(encoding: string): boolean {
  return Object.hasOwn(DECODERS, encoding);
}

/** Undoes a content-encoding; undefined where it is not known. @param encoding in lower case */
export function decoderOf(encoding: string): Transform | undefined {
  return isKnownEncoding(encoding) ? DECODERS[encoding]!() : undefined;
}
