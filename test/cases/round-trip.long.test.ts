import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { type CaseRow, loadCases, writeCases } from '../../evals/cases/index.ts';
import { routedText } from '../../router/prompt/index.ts';
import { written } from './written.ts';

const MODELS = ['small', 'large-2.5', 'maker/large.v3:free'];

const quality = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const amount = fc.option(
  fc.integer({ min: 0, max: 1e9 }).map((value) => value / 1000),
  { nil: undefined },
);
const outcome = fc.record(
  { quality, cost_usd: amount, input_tokens: amount, output_tokens: amount, latency_ms: amount },
  { requiredKeys: ['quality'] },
);

/** Text as people and machines write it: quotes, separators, line ends, signs of every plane. */
const prompt = (unit: 'binary' | 'grapheme') =>
  fc
    .oneof(
      fc.string({ unit }),
      fc.string({ unit: fc.constantFrom('"', ',', ';', '\n', '\t', ' ', '.', 'a', 'é', '⚓') }),
    )
    .map((text) => `a${text}`);

const rowsOf = (text: fc.Arbitrary<string>): fc.Arbitrary<CaseRow[]> =>
  fc
    .array(fc.record({ prompt: text, outcomes: fc.array(outcome, { minLength: 3, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 12,
    })
    .map((rows) =>
      rows.map(({ prompt, outcomes }, index) => ({
        id: `id-${index}`,
        group: `group-${index}`,
        prompt,
        outcomes: Object.fromEntries(MODELS.map((model, at) => [model, outcomes[at]!])),
      })),
    );

/** What loading must give, found without the loader. */
function expected(rows: readonly CaseRow[]) {
  return rows.map(({ id, prompt, outcomes }) => ({
    id,
    text: routedText({ prompt: prompt as string }),
    outcomes: new Map(
      Object.entries(outcomes).map(
        ([model, { quality, cost_usd, input_tokens, output_tokens, latency_ms }]) => {
          const amounts = {
            costUsd: cost_usd,
            inputTokens: input_tokens,
            outputTokens: output_tokens,
            latencyMs: latency_ms,
          };
          const known = Object.entries(amounts).filter(([, value]) => value !== undefined);
          return [model, { quality, ...Object.fromEntries(known) }];
        },
      ),
    ),
  }));
}

async function loaded(file: string) {
  const { cases, rejectedCount } = await loadCases([file]);
  expect(rejectedCount).toBe(0);
  return cases.map(({ id, text, outcomes }) => ({ id, text, outcomes }));
}

function wideRecord({ id, group, prompt, outcomes }: CaseRow): Record<string, unknown> {
  const cells = Object.entries(outcomes).flatMap(([model, row]) =>
    Object.entries(row).map(([field, value]) => [`${model}.${field}`, value]),
  );
  return { id, group, prompt, ...Object.fromEntries(cells) };
}

function longRecords({ id, group, prompt, outcomes }: CaseRow): Record<string, unknown>[] {
  return Object.entries(outcomes).map(([model, row]) => ({ id, group, prompt, model, ...row }));
}

function csvOf(records: readonly Record<string, unknown>[], newline: string): string {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Papa.unparse([...records], { columns, newline });
}

describe('writeCases', () => {
  it.each(['cases.jsonl', 'cases.jsonl.gz'])('writes what loadCases reads: %s', async (name) => {
    const file = written(name, '');
    await fc.assert(
      fc.asyncProperty(rowsOf(prompt('binary')), async (rows) => {
        expect((await writeCases(file, rows)).rows).toBe(rows.length);
        expect(await loaded(file)).toEqual(expected(rows));
      }),
    );
  });

  it('gives the hash of the stored bytes, the same for the same rows', async () => {
    const rows: CaseRow[] = [{ prompt: 'one', outcomes: { small: { quality: 1 } } }];
    const file = written('cases.jsonl.gz', '');
    const { sha256 } = await writeCases(file, rows);
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256);
    async function* streamed() {
      yield* rows;
    }
    expect((await writeCases(file, streamed())).sha256).toBe(sha256);
    expect((await loadCases([file])).files[0]?.sha256).toBe(sha256);
  });

  it('keeps fields that it does not know', async () => {
    const row = { prompt: 'one', licence: 'MIT', outcomes: { small: { quality: 1, output_chars: 3 } } };
    const file = written('cases.jsonl', '');
    await writeCases(file, [row]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(row);
  });

  it('refuses a row that could not be read, and leaves the older file', async () => {
    const file = written('cases.jsonl', 'older');
    const rows: CaseRow[] = [
      { prompt: 'one', outcomes: { small: { quality: 1 } } },
      { prompt: 'two', outcomes: { small: { quality: 2 } } },
    ];
    await expect(writeCases(file, rows)).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file, line: 2, field: 'outcomes.small.quality' },
    });
    expect(readFileSync(file, 'utf8')).toBe('older');
    expect(existsSync(`${file}.partial`)).toBe(false);
  });

  it('refuses an empty prompt, CSV and a folder that is not there', async () => {
    const row: CaseRow = { prompt: 'one', outcomes: { small: { quality: 1 } } };
    const file = written('cases.jsonl', '');
    await expect(writeCases(file, [{ ...row, prompt: ' ' }])).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(writeCases('cases.csv', [row])).rejects.toMatchObject({ code: 'invalid-input' });
    rmSync(dirname(file), { recursive: true });
    await expect(writeCases(file, [row])).rejects.toMatchObject({ code: 'io' });
  });
});

describe('CSV', () => {
  it.each([
    ['wide', '\n'],
    ['wide', '\r\n'],
    ['long', '\n'],
    ['long', '\r\n'],
  ])('%s with line end %j comes back', async (layout, newline) => {
    await fc.assert(
      fc.asyncProperty(rowsOf(prompt('grapheme')), async (rows) => {
        const records = layout === 'wide' ? rows.map(wideRecord) : rows.flatMap(longRecords);
        const file = written('cases.csv', csvOf(records, newline));
        expect(await loaded(file)).toEqual(expected(rows));
      }),
    );
  });
});
