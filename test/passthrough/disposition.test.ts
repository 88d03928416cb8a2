import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disposition } from '../../router/passthrough/disposition.ts';

const head = (parameters: string) =>
  `\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; ${parameters}`;
const fileNameOf = (parameters: string) => disposition(head(parameters))?.fileName;

describe('the name of a file', () => {
  test.each([
    ['name="file"; filename="nightly run.jsonl"', 'nightly run.jsonl'],
    ['name=file; filename=plain.jsonl', 'plain.jsonl'],
    [String.raw`name="file"; filename="a\"b\\c.jsonl"`, String.raw`a"b\c.jsonl`], // curl
    ['name="file"; filename="a%22b%0D%0Ac.jsonl"', 'a"b\r\nc.jsonl'], // browsers, undici
    ['name="file"; filename="50%25 of C:\\nightly\\x.jsonl"', '50%25 of C:\\nightly\\x.jsonl'],
    ['name="file"; filename="Größe; name=purpose 😀.jsonl"', 'Größe; name=purpose 😀.jsonl'],
    ['name="file"; filename="_.jsonl"; filename*=UTF-8\'\'Gr%C3%B6%C3%9Fe%20%22.jsonl', 'Größe ".jsonl'],
    ['name="file"; filename*=iso-8859-1\'de\'Gr%F6%DFe.jsonl', 'Größe.jsonl'],
    ['name="file"; filename="kept.jsonl"; filename*=nonsense', 'kept.jsonl'],
    ['name="file"; filename=""', ''],
  ])('%s', (parameters, fileName) => {
    expect(disposition(head(parameters))).toEqual({ name: 'file', isFile: true, fileName });
  });

  test('of a browser comes back, whatever it is', () => {
    // Line ends alone are encoded as CRLF by browsers.
    const text = fc.string({ unit: 'grapheme' }).filter((one) => !/[\r\n\\]|%(?:22|0d|0a)/i.test(one));
    fc.assert(
      fc.property(text, (fileName) => {
        expect(fileNameOf(`name="file"; filename="${fileName.replaceAll('"', '%22')}"`)).toBe(fileName);
      }),
    );
  });
});

test('a field without a file has none', () => {
  expect(disposition(head('name="purpose"'))).toEqual({
    name: 'purpose',
    isFile: false,
    fileName: undefined,
  });
});

test.each([
  ['a name twice', 'name="purpose"; name="file"'],
  ['a quote that does not end', `name="file"; filename="${'\\\\'.repeat(8_000)}`],
  ['rest that is none', 'name="file"; filename="a" b'],
  ['a second header', 'name="file"\r\ncontent-disposition: form-data; name="purpose"'],
])('%s is refused', (_, parameters) => expect(disposition(head(parameters))).toBeUndefined());
