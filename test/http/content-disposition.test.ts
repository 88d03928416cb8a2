import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attachment } from '../../router/http/content-disposition.ts';

test.each([
  ['batch_1_output.jsonl', 'attachment; filename="batch_1_output.jsonl"'],
  [String.raw`a"b\c.jsonl`, String.raw`attachment; filename="a\"b\\c.jsonl"`],
  ['Größe.jsonl', 'attachment; filename="Gr__e.jsonl"; filename*=UTF-8\'\'Gr%C3%B6%C3%9Fe.jsonl'],
  [
    'a\r\nset-cookie: x',
    'attachment; filename="a__set-cookie: x"; filename*=UTF-8\'\'a%0D%0Aset-cookie%3A%20x',
  ],
  ["50% (it's *)", "attachment; filename=\"50_ (it's *)\"; filename*=UTF-8''50%25%20%28it%27s%20%2A%29"],
  ['\ud800', 'attachment; filename="_"; filename*=UTF-8\'\'%EF%BF%BD'],
])('%j', (name, header) => expect(attachment(name)).toBe(header));

test('is a header of ASCII that gives the name back, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const header = attachment(name);
      expect(new Headers({ 'content-disposition': header }).get('content-disposition')).toBe(header);
      const [, extended] = /filename\*=UTF-8''([\w!#$&+.^`|~%-]*)$/.exec(header) ?? [];
      const [, quoted = ''] = /filename="((?:\\.|[^"\\])*)"/.exec(header) ?? [];
      expect(extended === undefined ? quoted.replaceAll(/\\(.)/g, '$1') : decodeURIComponent(extended)).toBe(
        name,
      );
    }),
  );
});
