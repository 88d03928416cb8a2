import { PlimsollError } from '../../router/errors.ts';

/**
 * The text of a CSV file in chunks: UTF-8 without byte order mark, CRLF folded to LF. Prompts inside quotes lose their carriage
 * returns too, so that the same prompt is the same whatever the spreadsheet wrote.
 *
 * @throws PlimsollError 'invalid-input': bytes that are no UTF-8, such as an old Windows encoding or UTF-16
 */
export async function* csvText(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decode = strictDecoder(file);
  let held = '';
  for await (const chunk of bytes) {
    const text = held + decode(chunk);
    held = text.endsWith('\r') ? '\r' : '';
    yield text.slice(0, text.length - held.length).replaceAll('\r\n', '\n');
  }
  yield held + decode(undefined);
}

/** Decodes chunk by chunk and remembers the line, to say where it failed. The last call comes without a chunk. */
function strictDecoder(file: string): (chunk: Buffer | undefined) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  return (chunk) => {
    try {
      const text = chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
      line += text.split('\n').length - 1;
      return text;
    } catch (cause) {
      throw new PlimsollError(
        'invalid-input',
        `${file}: not valid UTF-8, at or after line ${line}. Save the file as "CSV UTF-8".`,
        { place: { file, line }, cause },
      );
    }
  };
}
