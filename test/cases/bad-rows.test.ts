import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { jsonLines, soundRow, written } from './written.ts';

const SECRET = 'the captain’s private question';
const outcome = (quality: unknown, more = {}) => ({ outcomes: { small: { quality, ...more } } });
const sound = [soundRow(1), soundRow(2)];

/** Bad rows as lines of text, with the field and the reason that are expected. */
const BAD_LINES: readonly (readonly [string, string, string | undefined, RegExp])[] = [
  ['quality above 1', row(outcome(1.5)), 'outcomes.small.quality', /from 0 to 1, is 1.5/],
  ['quality below 0', row(outcome(-0.1)), 'outcomes.small.quality', /from 0 to 1, is -0.1/],
  ['quality as text', row(outcome('0.5')), 'outcomes.small.quality', /is string/],
  ['quality missing', row(outcome(undefined)), 'outcomes.small.quality', /missing/],
  ['NaN', row({}).replace('"quality":0', '"quality":NaN'), 'quality', /^NaN and Infinity are not valid JSON/],
  ['infinite', row({}).replace('"quality":0', '"quality":1e999'), 'outcomes.small.quality', /is Infinity/],
  ['negative cost', row(outcome(1, { cost_usd: -1 })), 'outcomes.small.cost_usd', />=0/],
  ['tokens as text', row(outcome(1, { input_tokens: 'ten' })), 'outcomes.small.input_tokens', /number/],
  ['outcome no object', row({ outcomes: { small: 1 } }), 'outcomes.small', /object/],
  ['no outcomes', row({ outcomes: undefined }), 'outcomes', /expected record/],
  ['outcomes as list', row({ outcomes: [] }), 'outcomes', /record/],
  ['empty prompt', row({ prompt: '' }), 'prompt', /empty/],
  ['blank prompt', row({ prompt: ' \n\t' }), 'prompt', /empty/],
  ['no prompt', row({ prompt: undefined }), 'prompt', /missing/],
  ['prompt no text', row({ prompt: 3 }), 'prompt', /string/],
  ['prompt and messages', row({ messages: [] }), undefined, /both/],
  ['no messages', row({ prompt: undefined, messages: [] }), 'messages', /empty/],
  ['message without role', row({ prompt: undefined, messages: [{}] }), 'messages.0.role', /string/],
  ...[0, 2, -1, 0.5, 'heavy', '', true, [1, 2], '1e999'].map(
    (weight) =>
      [
        `weight ${JSON.stringify(weight)}`,
        row({ weight }),
        'weight',
        /^must be (1 or left out here: each row counts once|a finite number above 0)/,
      ] as const,
  ),
  ...[0, -0.5, 1.5, 'often', '', true].map(
    (sampling_probability) =>
      [
        `sampling_probability ${JSON.stringify(sampling_probability)}`,
        row({ sampling_probability }),
        'sampling_probability',
        /^must be above 0 and at most 1/,
      ] as const,
  ),
  [
    'weight and probability',
    row({ weight: 1, sampling_probability: 1 }),
    'weight',
    /^both weight and sampling_probability/,
  ],
  [
    'label of a judge after that of a judge',
    row({ outcomes: { small: { quality: 0, judged_quality: 1, label_source: 'judge' } } }),
    'outcomes.small.judged_quality',
    /^stands beside a label of people/,
  ],
  ['weight NaN', row({ weight: 7 }).replace('"weight":7', '"weight":NaN'), 'weight', /^NaN and Infinity/],
  ['broken JSON', `{"prompt": "${SECRET}", }`, undefined, /not valid JSON/],
  ['half a row', `{"prompt": "${SECRET}`, undefined, /not valid JSON/],
  ['a list', '[1]', undefined, /object/],
  ['null', 'null', undefined, /object/],
];

function row(over: object): string {
  return JSON.stringify(soundRow(0, { prompt: SECRET, ...over }));
}

describe('a bad row of JSON Lines', () => {
  it.each(BAD_LINES)('%s is rejected with line, field and reason', async (_, line, field, reason) => {
    const file = written('bad.jsonl', `${jsonLines([soundRow(1)])}\n${line}\n${jsonLines([soundRow(2)])}`);
    const { cases, rejected, rejectedCount, read } = await loadCases([file], { maxRejectShare: 0.5 });
    expect([cases.length, rejectedCount, read]).toEqual([2, 1, 3]);
    expect(rejected).toEqual([
      { file, line: 3, ...(field !== undefined && { field }), reason: expect.stringMatching(reason) },
    ]);
    expect(JSON.stringify(rejected)).not.toContain('captain');
  });

  it.each(['2', '0', '-1', 'NaN', 'heavy'])('in a table, for its weight of %s', async (weight) => {
    const table = `prompt,Weight,small.quality\nFirst?,1,1\nSecond?,${weight},1\nThird?,,1\n`;
    const { cases, rejected } = await loadCases([written('weights.csv', table)], { maxRejectShare: 0.5 });
    expect(cases).toHaveLength(2);
    expect(rejected[0]).toMatchObject({
      line: 3,
      field: 'weight',
      reason: expect.stringMatching(/^must be (1 or left out here|a finite number above 0)/),
    });
  });

  it('that is no UTF-8 is rejected alone', async () => {
    const latin = Buffer.from(jsonLines([soundRow(3, { prompt: 'caf\u00e9' })]), 'latin1');
    const file = written('latin.jsonl', Buffer.concat([Buffer.from(jsonLines(sound)), latin]));
    const { cases, rejected } = await loadCases([file], { maxRejectShare: 0.5 });
    expect(cases).toHaveLength(2);
    expect(rejected[0]).toMatchObject({ line: 3, reason: expect.stringContaining('UTF-8') });
  });

  it('is not rejected for a model that was not asked for', async () => {
    const outcomes = { small: { quality: 1 }, odd: { quality: 'often' } };
    const file = written('other.jsonl', jsonLines([soundRow(1, { outcomes })]));
    expect((await loadCases([file], { models: ['small'] })).rejectedCount).toBe(0);
  });

  it('is rejected for a label out of range in the chosen field, missing only without it', async () => {
    const rows = [outcome(1, { other: 0.5 }), outcome(1, { other: 2 }), outcome(7)].map((o, i) =>
      soundRow(i, o),
    );
    const file = written('other.jsonl', jsonLines(rows));
    const loaded = await loadCases([file], { qualityField: 'other', maxRejectShare: 0.5 });
    expect(loaded.cases[0]?.outcomes.get('small')).toEqual({ quality: 0.5 });
    expect(loaded.rejected.map(({ line, field }) => [line, field])).toEqual([[2, 'outcomes.small.other']]);
    expect(loaded.excluded.missingOutcome).toBe(1);
  });
});

describe('too many bad rows', () => {
  const many = (bad: number, good: number, quality: unknown = 2) =>
    written(
      'many.jsonl',
      jsonLines(Array.from({ length: bad + good }, (_, i) => soundRow(i, i < bad ? outcome(quality) : {}))),
    );

  it('stop the run with the share, the first three and a way out', async () => {
    const file = many(5, 95);
    await expect(loadCases([file])).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file, line: 1, field: 'outcomes.small.quality' },
      message: [
        '5 of 100 rows (5 %) were rejected; 2 % are allowed.',
        ...[1, 2, 3].map(
          (line) => `  ${file}:${line}: outcomes.small.quality: must be a number from 0 to 1, is 2`,
        ),
        '  and 2 more of this kind',
        'If the qualities are on another scale, name it: --quality-scale 0-100, 1-5, boolean, percent or any LOW-HIGH.',
        'Fix these rows, or take them out of the file. --max-rejects raises the limit, but not at the gate: what it left out might be the hard cases.',
      ].join('\n'),
    });
  });

  it('of a signal do not ask for the scale of qualities', async () => {
    for (const [field, signals] of [
      ['confidence_logprob', { confidence_logprob: 2 }],
      ['signals.agreement', { signals: { agreement: 3 } }],
    ] as const) {
      const rows = Array.from({ length: 20 }, (_, i) => soundRow(i, i % 2 === 0 ? {} : outcome(1, signals)));
      const error = await loadCases([written('signals.jsonl', jsonLines(rows))]).catch((one) => one);
      expect(error.message).toContain(`outcomes.small.${field}: must be a number from`);
      expect(error.message).not.toContain('--quality-scale');
    }
  });

  it('pass up to the limit', async () => {
    expect((await loadCases([many(2, 98)])).rejectedCount).toBe(2);
    expect((await loadCases([many(5, 95)], { maxRejectShare: 0.05 })).cases).toHaveLength(95);
    await expect(loadCases([many(1, 999)], { maxRejectShare: 0 })).rejects.toThrow(/0.1 %.*; 0 % are/);
  });

  it('are all counted and written, while memory holds the first 1,000', async () => {
    const rejectsFile = join(mkdtempSync(join(tmpdir(), 'plimsoll-cases-')), 'rejects.jsonl');
    const loaded = await loadCases([many(1200, 10, 'often')], { maxRejectShare: 1, rejectsFile });
    expect([loaded.rejectedCount, loaded.rejected.length]).toEqual([1200, 1000]);
    const lines = readFileSync(rejectsFile, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(1200);
    expect(JSON.parse(lines[0] ?? '')).toEqual(loaded.rejected[0]);
  });

  it('are written even if the run stops, and an older file does not outlive a clean run', async () => {
    const rejectsFile = written('rejects.jsonl', 'old\n');
    await expect(loadCases([many(5, 5, 'often')], { rejectsFile })).rejects.toThrow();
    expect(readFileSync(rejectsFile, 'utf8').split('\n')).toHaveLength(6);
    await loadCases([many(0, 5)], { rejectsFile });
    expect(readFileSync(rejectsFile, 'utf8')).toBe('');
  });

  it('refuse a limit that is no share, and a place that cannot be written', async () => {
    const invalid = { code: 'invalid-input' };
    await expect(loadCases([many(0, 5)], { maxRejectShare: 2 })).rejects.toMatchObject(invalid);
    await expect(loadCases([many(0, 5)], { maxRejectShare: Number.NaN })).rejects.toMatchObject(invalid);
    const rejectsFile = join(tmpdir(), 'plimsoll-no-such-folder', 'rejects.jsonl');
    await expect(loadCases([many(0, 5)], { rejectsFile })).rejects.toMatchObject({ code: 'io' });
  });
});

describe('a bad file', () => {
  const stops = async (file: string, code: string, message: RegExp) => {
    const error = await loadCases([file]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'PlimsollError', code, message: expect.stringMatching(message) });
  };

  it('that is missing', () => stops('/nowhere/cases.jsonl', 'not-found', /no such file/));
  it('that is a folder', () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'plimsoll-cases-')), 'cases.jsonl');
    mkdirSync(folder);
    return stops(folder, 'invalid-input', /this is a folder/);
  });
  it.each(['cases.parquet', 'cases', 'cases.gz', 'cases.txt'])('of unknown format: %s', (name) =>
    stops(written(name, 'x'), 'invalid-input', /cannot tell the format.*\.jsonl.*\.csv/),
  );
  it.each(['empty.jsonl', 'empty.jsonl.gz', 'empty.csv'])('that is empty: %s', (name) =>
    stops(written(name, ''), 'invalid-input', /is empty/),
  );
  it('that is empty before compression', () =>
    stops(written('a.jsonl.gz', new Uint8Array()), 'invalid-input', /empty/));
  it('that holds a header only', () =>
    stops(written('a.csv', 'prompt,small.quality\n'), 'invalid-input', /is empty/));

  it('that ends in the middle of the compressed stream', () => {
    const whole = gzipSync(jsonLines(Array.from({ length: 500 }, (_, i) => soundRow(i))));
    const file = written('cut.jsonl.gz', whole.subarray(0, whole.length / 2));
    return stops(
      file,
      'invalid-input',
      /ends in the middle of the compressed stream; download or copy it again/,
    );
  });

  it('that is not gzip in spite of its name', () =>
    stops(written('a.jsonl.gz', Buffer.from(jsonLines(sound))), 'invalid-input', /not gzip/));
  it('that is gzip without its name', () =>
    stops(written('a.jsonl', gzipSync(jsonLines(sound))), 'invalid-input', /Rename it/));
  it('list without any', async () => {
    await expect(loadCases([])).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(loadCases(['a.jsonl'], { models: [] })).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('an error of the caller’s own', () => {
  it.each(['cases.jsonl', 'cases.csv'])('comes out as it went in: %s', async (name) => {
    const rows = Array.from({ length: 1000 }, (_, i) => soundRow(i));
    const table = `prompt,small.quality\n${rows.map(({ prompt }) => `${prompt},1\n`).join('')}`;
    const file = written(name, name.endsWith('csv') ? table : jsonLines(rows));
    const own = new Error('stop');
    const onProgress = () => {
      throw own;
    };
    await expect(loadCases([file], { onProgress })).rejects.toBe(own);
  });
});
