import { pipeline, Readable } from 'node:stream';
import { decoderOf } from '../content-encoding.ts';
import { UpstreamBroken } from './broken.ts';

/**
 * The bytes before compression, as soon as they can be told. For providers that compress although they were asked not to.
 * Throws what `chunks` throws; UpstreamBroken `unreadable` where the bytes are not of this encoding, or end too early.
 * @param encoding a known one
 */
export async function* decoded(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const decoder = decoderOf(encoding)!;
  // The callback is needed and has nothing to do: whatever goes wrong reaches the loop below through the decoder.
  pipeline(Readable.from(chunks, { objectMode: false }), decoder, () => {});
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    // Errors of zlib have a number; those of the connection have none.
    if (error instanceof Error && 'errno' in error) {
      throw new UpstreamBroken('unreadable', `The answer is not ${encoding}, or ends too early.`);
    }
    throw error;
  }
}
