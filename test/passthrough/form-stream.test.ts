import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formPieces } from '../../router/passthrough/index.ts';

const BOUNDARY = 'xYzZy';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

function form(
  parts: readonly { readonly name: string; readonly content: Buffer; readonly file?: string }[],
): Buffer {
  const pieces = parts.flatMap(({ name, content, file }) => [
    Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n`,
    ),
    content,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

async function* cut(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (let at = 0; from < bytes.length; at++) {
    const length = lengths.length === 0 ? bytes.length : lengths[at % lengths.length]!;
    yield bytes.subarray(from, from + length);
    from += length;
  }
}

async function read(body: AsyncIterable<Buffer>, type = TYPE) {
  const parts: { name: string | undefined; fileName: string | undefined; content: Buffer }[] = [];
  for await (const piece of formPieces(body, type)) {
    if (piece.kind === 'part')
      parts.push({ name: piece.name, fileName: piece.fileName, content: Buffer.alloc(0) });
    else {
      const last = parts.at(-1)!;
      last.content = Buffer.concat([last.content, piece.bytes]);
    }
  }
  return parts;
}

// Contents that begin like a delimiter, in whole and in part.
const tricky = fc
  .array(
    fc.constantFrom('\r', '\n', '-', `--${BOUNDARY}`, `\r\n--${BOUNDARY}x`, `\r\n--${BOUNDARY} `, 'a', 'ü'),
  )
  .map((pieces) => Buffer.from(pieces.join('')))
  .filter((content) => !new RegExp(`(^|\r\n)--${BOUNDARY}(--|[ \t]*\r\n)`).test(`${content}\r\n`));

describe('a form that is read as it arrives', () => {
  test('has the parts that were written, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.constantFrom('file', 'purpose'), content: tricky }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
        async (parts, lengths) => {
          const found = await read(cut(form(parts), lengths));
          expect(found.map(({ name, content }) => [name, content.toString()])).toEqual(
            parts.map(({ name, content }) => [name, content.toString()]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('names files', async () => {
    const content = Buffer.from('x');
    const found = await read(cut(form([{ name: 'file', content, file: 'a b.jsonl' }]), []));
    expect(found).toEqual([{ name: 'file', fileName: 'a b.jsonl', content }]);
  });

  test.each([
    ['application/json', 'x', 'names no boundary'],
    [TYPE, 'nothing', 'its boundary is not there'],
    [TYPE, `--${BOUNDARY}\r\na: b\r\n\r\nhalf`, 'its last boundary is missing'],
    [TYPE, `--${BOUNDARY}\r\n${'a'.repeat(20_000)}`, 'a part has no head'],
  ])('%s: %s', async (type, body, why) => {
    const reading = read(cut(Buffer.from(body), [7]), type);
    await expect(reading).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining(why),
    });
  });
});
