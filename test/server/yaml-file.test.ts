import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadSuite } from '../../evals/gate/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { readYaml, YAML_LIMITS } from '../../router/yaml-file.ts';
import { scaled } from '../helpers/long-run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-yaml-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(text: string | Uint8Array): string {
  const file = path.join(folder, 'file.yaml');
  writeFileSync(file, text);
  return file;
}

const LEVELS = 'abcdefghij';
const bomb = [...LEVELS].map((name, i) => {
  const value = i === 0 ? 'x' : `*${LEVELS[i - 1]}`;
  return `${name}: &${name} [${Array(9).fill(value).join(', ')}]`;
});
const manyLines = (line: string, count: number) => Array.from({ length: count }, () => line).join('\n');
const numbered = (line: (i: number) => string, count: number) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const k = 1024;

/** What, the text, and what is said of it. */
const REFUSED: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ['an alias bomb', bomb.join('\n'), /aliases expand to more than 1000 copies/],
  [
    'an alias bomb of maps',
    bomb.join('\n').replaceAll('[', '[{k: [').replaceAll(']', ']}]'),
    /aliases expand/,
  ],
  ['one anchor used often', `a: &a [1]\nb: [${Array(1_001).fill('*a').join(', ')}]`, /aliases expand/],
  ['an alias of what it is in', 'a: &a [1, *a]', /line 1: \*a stands for itself/],
  ['the same, in maps', 'a: &a\n  b:\n    c: *a', /line 3: \*a stands for itself/],
  ['an alias of nothing', 'a: *nothing', /Unresolved alias/],
  ['brackets that open', '['.repeat(250 * k), /line 1: it is nested deeper than 64 levels/],
  ['brackets that close', `a: ${'['.repeat(10 * k)}${']'.repeat(10 * k)}`, /nested deeper/],
  ['maps in maps', '{a: '.repeat(60 * k), /nested deeper/],
  ['blocks in blocks', numbered((i) => `${' '.repeat(i)}a:`, 700), /line 6\d: it is nested deeper/],
  ['lists in lists', `${'- '.repeat(scaled(100 * k))}x`, /nested deeper/],
  ['keys in keys', `${'? '.repeat(scaled(100 * k))}x`, /nested deeper|plain text/],
  ['a large file', `# ${'x'.repeat(YAML_LIMITS.bytes)}`, /larger than 256 KiB/],
  ['commas', `[${','.repeat(scaled(255 * k))}`, /line 1/],
  ['anchors', '&a '.repeat(scaled(80 * k)), /anchor/],
  ['directives', manyLines('%a', scaled(80 * k)), /./],
  ['documents', manyLines('---', 60 * k), /line 2: a second document begins here/],
  ['a key given twice', 'log_level: info\nlog_level: debug', /line 2: "log_level" is there twice/],
  ['the same further in', 'server:\n  port: 1\n  host: a\n  "port": 2', /line 4: "port" is there twice/],
  ['a merge key', 'base: &base { port: 1 }\nserver:\n  <<: *base', /line 3: << is not supported/],
  ['another version', '%YAML 1.1\n---\nlog_level: yes', /YAML 1\.2/],
  ['__proto__', '__proto__: { log_level: debug }', /line 1: __proto__ is no name/],
  [
    '__proto__ further in, in quotes',
    'policies:\n  "__proto__": { threshold: 1 }',
    /line 2: __proto__ is no name/,
  ],
  ['a key that is a map', '? { a: 1 }\n: 2', /line 1: a key must be plain text/],
  ['an unknown tag', 'log_level: !!js/function info', /line 1: Unresolved tag/],
  ['UTF-16', Buffer.from('\uFEFFlog_level: info', 'utf16le'), /no UTF-8 text/],
  ['bytes', Uint8Array.from([0x61, 0x3a, 0xff, 0xfe]), /no UTF-8 text/],
];

describe.each([
  ['the configuration', (file: string) => loadConfig(file, {})],
  ['a suite', (file: string) => loadSuite(file)],
])('%s', (_, load) => {
  it.each(REFUSED)('with %s is refused with its name', (_name, text, message) => {
    const file = fileOf(text);
    expect(() => load(file)).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringMatching(message),
        place: expect.objectContaining({ file }),
      }),
    );
  });
});

it('many fields take time in proportion, not in its square', () => {
  const count = 24_000;
  const { value } = readYaml(fileOf(numbered((i) => `k${i}: &a${i} 1`, 12_000)));
  expect(Object.keys(value as object)).toHaveLength(12_000);
  expect(Object.keys(readYaml(fileOf(numbered((i) => `k${i}: 1`, count))).value as object)).toHaveLength(
    count,
  );
});

it('a device without an end, and a folder, are refused', () => {
  expect(() => loadConfig('/dev/zero', {})).toThrow(/larger than 256 KiB/);
  expect(() => loadConfig(folder, {})).toThrow(/cannot be read \(EISDIR\)/);
});

it('an empty file, comments alone, a mark at the beginning, CRLF', () => {
  for (const text of ['', '\n', '# nothing\n', '---\n', '\uFEFF'])
    expect(readYaml(fileOf(text)).value).toBeNull();
  expect(loadConfig(fileOf('\uFEFFlog_level: debug\r\nserver:\r\n  port: 1\r\n'), {})).toMatchObject({
    logLevel: 'debug',
    server: { port: 1 },
  });
});

it('an anchor that is used a few times is fine', () => {
  const text = `a: &a { x: 1 }\nb: [${Array(500).fill('*a').join(', ')}]`;
  expect((readYaml(fileOf(text)).value as { b: unknown[] }).b).toHaveLength(500);
});

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__' && key !== '<<'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

it('reads what the library writes', () => {
  fc.assert(
    fc.property(plain, (value) => {
      expect(readYaml(fileOf(stringify(value, { aliasDuplicateObjects: false }))).value).toEqual(value);
    }),
  );
});
