import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSuite } from '../../evals/gate/index.ts';

const HOME = mkdtempSync(path.join(tmpdir(), 'plimsoll-suite-'));
afterAll(() => rmSync(HOME, { recursive: true, force: true }));

function written(text: string): string {
  const file = path.join(HOME, 'suite.yaml');
  writeFileSync(file, text);
  return file;
}

const LEAST = 'name: mine\nmax_quality_loss: 0.02\n';

describe('loadSuite', () => {
  it('fills in the defaults, and its hash is of what it says and not of how it is written', () => {
    const one = loadSuite(written(LEAST));
    expect(one.suite).toMatchObject({
      confidence: 0.95,
      escalation_rate: { min: 0.01, max: 0.99 },
      beats_random: true,
      valid_for_days: 90,
      schema_version: 2,
      sampling: 'requests',
    });
    const other = loadSuite(
      written('# the same\nmax_quality_loss: 2.0e-2\nname: "mine"\nschema_version: 2\n'),
    );
    expect(other.sha256).toBe(one.sha256);
    expect(loadSuite(written(`${LEAST}confidence: 0.9\n`)).sha256).not.toBe(one.sha256);
    expect(other.notes).toEqual([]);
  });

  it('its hash is also of what hard cases and paraphrases ask, and not of how their files are written', () => {
    const hard = { id: 'h1', slice: 'a', language: 'en', prompt: 'Prove it.', tier: 'strong', why: 'Hard.' };
    const easy = { ...hard, id: 'h2', prompt: 'Say hello.', tier: 'cheap' };
    const pair = { id: 'p1', language: 'en', a: 'Where is Rome?', b: 'In which country is Rome?' };
    const file = (name: string, text: string) => writeFileSync(path.join(HOME, name), text);
    const suite = `${LEAST}hard_cases: { file: hard.jsonl, min_recall: 0.5 }\nflip_rate: { max: 0.1, paraphrases: pairs.jsonl }\n`;
    const hashWith = (cases: readonly object[], pairs: readonly object[] = [pair], space?: string) => {
      const lines = (rows: readonly object[]) =>
        rows.map((row) => JSON.stringify(row).replaceAll('":', `":${space ?? ''}`)).join(`\n${space ?? ''}`);
      file('hard.jsonl', lines(cases));
      file('pairs.jsonl', lines(pairs));
      return loadSuite(written(suite)).sha256;
    };
    const one = hashWith([hard, easy]);
    expect(hashWith([hard, easy], [pair], ' \r'), 'white space').toBe(one);
    expect(hashWith([easy, hard]), 'order').toBe(one);
    expect(hashWith([{ ...hard, slice: 'b', why: 'Long.', language: 'de' }, easy])).toBe(one);
    const others = [
      hashWith([hard]),
      hashWith([hard, { ...easy, tier: 'strong' }]),
      hashWith([{ ...hard, prompt: 'Prove it again.' }, easy]),
      hashWith([{ ...hard, replies: { small: { answer: 'No.' } } }, easy]),
      hashWith([hard, easy], [{ ...pair, b: 'Which country has Rome?' }]),
    ];
    expect(new Set([one, ...others]).size).toBe(6);
  });

  it('hard cases that are not there are an error when they are asked for', () => {
    const suite = loadSuite(written(`${LEAST}hard_cases: { file: none.jsonl, min_recall: 0.5 }\n`));
    expect(() => suite.sha256).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it('reads what says that it is of version 1, and says what to write', () => {
    const old = loadSuite(written(`schema_version: 1\n${LEAST}seed: 3\n`));
    expect(old.sha256).toBe(loadSuite(written(LEAST)).sha256);
    expect(old.notes).toEqual([
      expect.stringMatching(/Write schema_version: 2\.$/),
      expect.stringMatching(/"seed" has no effect/),
    ]);
  });

  it('reads a suite of version 1, whose seed no longer does anything, and says so', () => {
    const one = loadSuite(written(LEAST));
    for (const seed of [1, 2]) {
      const old = loadSuite(written(`${LEAST}seed: ${seed}\n`));
      expect(old.sha256).toBe(one.sha256);
      expect(old.notes).toEqual([expect.stringMatching(/"seed" has no effect .* Remove the line\.$/)]);
    }
  });

  it.each([
    ['nothing', '', /it is empty: it demands nothing/],
    ['a comment alone', '# later\n', /it is empty/],
    ['a list', '- a\n', /field "\(top level\)".*expected object/],
    [
      'an unknown key',
      `${LEAST}max_qualty_loss: 0.1\n`,
      /line 3, field "max_qualty_loss": there is no such field\. Did you mean "max_quality_loss"\?$/,
    ],
    [
      'an unknown key inside',
      `${LEAST}hard_cases: { min_recal: 0.9 }\n`,
      /line 3, field "hard_cases\.min_recal": .* "min_recall"\?$/,
    ],
    ['no margin', 'name: mine\n', /field "max_quality_loss"/],
    [
      'a margin of 0',
      'name: mine\nmax_quality_loss: 0\n',
      /line 2, field "max_quality_loss": must be above 0/,
    ],
    ['a margin above 1', 'name: mine\nmax_quality_loss: 1.5\n', /line 2, field "max_quality_loss": .*<=1/],
    ['a margin of text', 'name: mine\nmax_quality_loss: little\n', /expected number/],
    ['a confidence of 1', `${LEAST}confidence: 1\n`, /line 3, field "confidence": must be below 1/],
    ['a confidence below a half', `${LEAST}confidence: 0.2\n`, /field "confidence": .*>=0\.5/],
    ['a band upside down', `${LEAST}escalation_rate: { min: 0.9, max: 0.1 }\n`, /min must be below max/],
    [
      'two slices of one name',
      `${LEAST}slices: [{ name: a, where: { task: x }, max_quality_loss: 0.1 }, { name: a, where: { task: y }, max_quality_loss: 0.1 }]\n`,
      /two slices have one name/,
    ],
    [
      'a slice that asks for nothing',
      `${LEAST}slices:\n  - { name: a, where: {}, max_quality_loss: 0.1 }\n`,
      /line 4, field "slices\.0\.where": name at least one property/,
    ],
    [
      'an edit that does not exist',
      `${LEAST}flip_rate: { max: 0.1, edits: [upside-down] }\n`,
      /field "flip_rate\.edits\.0"/,
    ],
    ['no YAML', 'name: [mine\n', /line \d/],
    ['valid for no day', `${LEAST}valid_for_days: 0\n`, /field "valid_for_days"/],
  ])('refuses %s, and says where', (_, text, message) => {
    expect(() => loadSuite(written(text))).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringMatching(message) }),
    );
  });

  it('refuses a file that is not there', () => {
    expect(() => loadSuite(path.join(HOME, 'none.yaml'))).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('none.yaml') }),
    );
  });
});
