import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PATTERN_KINDS, REDACTED_KINDS } from '../../router/redaction/index.ts';
import { createRedactor } from '../../router/redaction/redactor.ts';
import { MADE_UP_TEXTS, type MadeUpText, madeUpNames, madeUpTexts } from './made-up-texts.ts';

const texts = readFileSync(MADE_UP_TEXTS, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as MadeUpText);

const redactAll = createRedactor({ kinds: REDACTED_KINDS, names: madeUpNames() });
const redacted = (text: string) => redactAll().text(text);

test('500 made-up texts in eight languages: of each kind at least .95 are found, in each language', () => {
  expect(texts).toEqual(madeUpTexts(500));
  expect(new Set(texts.map(({ language }) => language)).size).toBe(8);
  const found = new Map<string, { found: number; all: number }>();
  for (const { text, language, planted } of texts) {
    const result = redacted(text);
    for (const { kind, value } of planted) {
      for (const group of [kind, language]) {
        const count = found.get(group) ?? { found: 0, all: 0 };
        found.set(group, count);
        count.all++;
        if (!result.includes(value)) count.found++;
      }
    }
  }
  expect([...found.keys()].sort()).toEqual(
    [...REDACTED_KINDS, ...new Set(texts.map(({ language }) => language))].sort(),
  );
  for (const [group, { found: hits, all }] of found) expect(hits / all, group).toBeGreaterThanOrEqual(0.95);
});

test('what stays of a text is as it was', () => {
  for (const { text, planted } of texts) {
    let expected = redacted(text);
    for (const kind of REDACTED_KINDS)
      expected = expected.replaceAll(new RegExp(`\\[${kind} \\d\\]`, 'g'), '…');
    const blanked = planted.reduce((rest, { value }) => rest.replaceAll(value, '…'), text);
    expect(expected).toBe(blanked);
  }
});

test.each([
  ['dates and times', 'On 2024-11-29 at 12:30:45, and on 29.11.2024 and 11/29/2024 10:15.'],
  ['amounts', 'It costs 1,234,567.89 or 1.234.567,89 or 12 345 678 in all; 3.14159265358979.'],
  ['addresses of the Internet', 'Ping 192.168.178.100 and 10.0.0.1:8080 from 2001:db8::8a2e:370:7334.'],
  ['numbers to reckon with', 'What is 4821309 * 77? And 123456789 + 987654321? 2^31 is 2147483648.'],
  ['times of a computer', 'timestamp 1732838400, in ms 1732838400000.'],
  [
    'hashes and ids',
    'commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad, id 550e8400-e29b-41d4-a716-446655440000.',
  ],
  ['a number of a card with a wrong check digit', 'Is 4111 1111 1111 1112 valid?'],
  ['an account with wrong check digits', 'Is DE00 3704 0044 0532 0130 00 valid?'],
  ['code', 'const password = readPassword(); let api_key: string; @Injectable() class A {} a@b'],
  ['prose about secrets', 'The password is wrong. Which secret: yours? My token is missing.'],
  ['a version and a book', 'npm 10.8.2, ISBN 978-3-16-148410-0.'],
  ['a list of digits', '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15'],
])('%s are no personal data', (_, text) => {
  expect(createRedactor({ kinds: PATTERN_KINDS })().text(text)).toBe(text);
});

test.each([
  ['Schreib an müller@bücher.example oder 用户@例子.公司', 'Schreib an [email 1] oder [email 2]'],
  ['Ｔｅｌ ０３０－９０１８２０ and ａ＠ｅｘａｍｐｌｅ.com', 'Ｔｅｌ [phone 1] and [email 1]'],
  ['(415) 555-2671, 415-555-2671, +1 415 555 2671', '[phone 1], [phone 1], [phone 2]'],
  ['DE89 3704 0044 0532 0130 00, DE89370400440532013000', '[iban 1], [iban 1]'],
  ['postgres://app:hunter2@db/x', 'postgres://app:[key 1]@db/x'],
  ['{"password": "hunter2!x"}', '{"password": "[key 1]"}'],
  ['Das Passwort lautet geheim123.', 'Das Passwort lautet [key 1]'],
  ['a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb', 'a\n[key 1]\nb'],
  ['-----BEGIN PRIVATE KEY-----\nMIIE and no end', '[key 1]'],
])('%s', (text, expected) => {
  expect(createRedactor({ kinds: PATTERN_KINDS })().text(text)).toBe(expected);
});

test('one value has one number in all texts of a request, and names of fields stay', () => {
  const redact = createRedactor({ kinds: ['email'] })();
  expect(
    redact.json({
      messages: [
        { role: 'user', content: 'a@x.example, B@x.example' },
        { content: [{ text: 'b@x.example' }] },
      ],
      'c@x.example': 1,
    }),
  ).toEqual({
    messages: [{ role: 'user', content: '[email 1], [email 2]' }, { content: [{ text: '[email 2]' }] }],
    'c@x.example': 1,
  });
  expect(createRedactor({ kinds: ['email'] })().text('b@x.example')).toBe('[email 1]');
});

test('names of a list are whole words; one word alone only as it is written', () => {
  const names = createRedactor({
    kinds: ['name'],
    names: ['May', 'Anna Müller', 'Anna Müller-Lüdenscheidt', '王小明'],
  });
  const text = "May may call ANNA MÜLLER's office, Anna Müller-Lüdenscheidt, Hannah, and MAY; 我叫王小明。";
  expect(names().text(text)).toBe(
    "[name 1] may call [name 2]'s office, [name 3], Hannah, and [name 1]; 我叫[name 4]。",
  );
});

test('an unknown country is refused with its field', () => {
  expect(() => createRedactor({ kinds: ['phone'], phoneCountries: ['DE', 'XX'] })).toThrow(
    expect.objectContaining({ code: 'invalid-config', place: { field: 'capture.phone_countries' } }),
  );
});

test('what finders of several kinds find is in order, and the first kind keeps what overlaps', () => {
  const redact = createRedactor({ kinds: ['email', 'key', 'name'], names: ['Ann', 'Lee'] });
  const row = 'Ann, a@b.co, sk-aaaaaaaaaaaaaaaa, password: Ann-Lee-2024; ann.lee@b.co Lee. ';
  const first = '[name 1], [email 1], [key 1], password: [key 2]; [email 2] [name 2]. ';
  expect(redact().text(row.repeat(500))).toBe(first.repeat(500));
});

test('what begins like a token again and again takes time in proportion to its length', () => {
  const redact = createRedactor({ kinds: ['key'] });
  const trap = '-eyJ'.repeat(500_000);
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl';
  expect(redact().text(`${trap} ${token}`).slice(trap.length)).toBe(' [key 1]');
});
