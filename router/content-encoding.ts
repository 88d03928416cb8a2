import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, type Zlib } from 'node:zlib';

/** `bytesWritten` are the compressed bytes that it has taken so far. */
type Decoder = Transform & Zlib;

/** RFC 9110, section 8.4.1. */
const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** Whether `createDecoder` can undo it. */
export function isKnownEncoding(encoding: string): boolean {
  return Object.hasOwn(DECODERS, encoding);
}

/** Undoes a content-encoding; undefined if it is not known. @param encoding in lower case */
export function createDecoder(encoding: string): Decoder | undefined {
  return isKnownEncoding(encoding) ? DECODERS[encoding]!() : undefined;
}
