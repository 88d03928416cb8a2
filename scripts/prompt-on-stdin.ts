import { PlimsollError } from '../router/errors.ts';

/** Far beyond any prompt, so that an endless stream ends with a message. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * All of stdin as text. Read as a stream: a synchronous read fails if the other end has set the pipe non-blocking.
 * @throws PlimsollError `too-large` beyond 32 MiB, `io` if stdin cannot be read.
 */
export async function promptOnStdin(stdin: AsyncIterable<Buffer> = process.stdin): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stdin) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw tooLarge();
    }
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError(
      'io',
      'stdin cannot be read. Pipe text into it, or give the text as an argument.',
      {
        cause,
      },
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `There is more than ${MOST_BYTES / 2 ** 20} MiB of text on stdin. Only its beginning and end would be scored: send those.`,
  );
}
