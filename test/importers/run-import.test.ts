import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runImport } from '../../scripts/importers/index.ts';
import { fixture, imported } from './imported.ts';

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'plimsoll-import-'));
}

function jsonlOf(...rows: readonly unknown[]): string {
  const file = join(folder(), 'in.jsonl');
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  return file;
}

const sound = { id: 'a', prompt: 'Name three knots.', outcomes: { small: { quality: 1 } } };

describe('runImport', () => {
  it('puts outcomes of one id together and refuses a second label or another prompt', async () => {
    const file = jsonlOf(
      sound,
      { ...sound, outcomes: { large: { quality: 0.5 } } },
      { ...sound, outcomes: { large: { quality: 1 } } },
      { ...sound, prompt: 'Name two.', outcomes: { other: { quality: 1 } } },
      { ...sound, id: 'b', outcomes: {} },
    );
    const { rows, summary } = await imported('jsonl', [], { inputs: [file] });
    expect(rows).toHaveLength(1);
    expect(rows[0]?.['outcomes']).toEqual({ small: { quality: 1 }, large: { quality: 0.5 } });
    expect(summary.rejects.map(({ line, field }) => [line, field])).toEqual([
      [3, 'outcomes.large'],
      [4, 'prompt'],
      [5, 'outcomes'],
    ]);
  });

  it('stops at too many bad rows, names them, and leaves no file', async () => {
    const file = jsonlOf(sound, { ...sound, id: 'b', outcomes: { small: { quality: 7 } } });
    const out = join(folder(), 'cases.jsonl');
    await expect(runImport({ format: 'jsonl', inputs: [file], out })).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file, line: 2, field: 'outcomes.small.quality' },
    });
    expect(readdirSync(dirname(out))).toEqual([]);
  });

  it('writes all bad rows to the given file', async () => {
    const file = jsonlOf(sound, { ...sound, id: 'b', prompt: '' });
    const rejectsFile = join(folder(), 'rejects.jsonl');
    await imported('jsonl', [], { inputs: [file], rejectsFile });
    expect(JSON.parse(readFileSync(rejectsFile, 'utf8'))).toMatchObject({ file, line: 2, field: 'prompt' });
  });

  it('replaces a file only when forced, and never an input', async () => {
    const file = jsonlOf(sound);
    const out = join(folder(), 'cases.jsonl');
    writeFileSync(out, 'mine');
    await expect(runImport({ format: 'jsonl', inputs: [file], out })).rejects.toThrow('--force');
    expect(readFileSync(out, 'utf8')).toBe('mine');
    await expect(runImport({ format: 'jsonl', inputs: [file], out: file, force: true })).rejects.toThrow(
      'one of the inputs',
    );
    await expect(runImport({ format: 'jsonl', inputs: [file], out, force: true })).resolves.toMatchObject({
      cases: 1,
    });
  });

  it.each([
    ['an unknown format', { format: 'routelm' }, 'invalid-input', 'Did you mean routellm?'],
    ['an output that is no JSON Lines', { out: 'cases.csv' }, 'invalid-input', 'JSON Lines'],
    ['a file that is not there', { inputs: ['no/such.jsonl'] }, 'not-found', 'no such file'],
    ['a file without a row', { inputs: [jsonlOf()] }, 'invalid-input', 'empty'],
  ])('refuses %s', async (_name, over, code, message) => {
    const out = join(folder(), 'cases.jsonl.gz');
    const run = runImport({ format: 'jsonl', inputs: [jsonlOf(sound)], out, ...over });
    await expect(run).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(existsSync(out)).toBe(false);
  });

  it('stops at a bad row that others refer to', async () => {
    const questions = join(folder(), 'default_query_train.jsonl');
    writeFileSync(questions, '{"query": "Sound?"}\n{"query": 7}\n');
    const inputs = [fixture('llmrouter', 'train.json'), questions];
    await expect(imported('llmrouter', [], { inputs })).rejects.toMatchObject({
      code: 'invalid-input',
      place: { file: questions, line: 2, field: 'query' },
    });
  });

  it('reads gzipped raw files and gives the same bytes each time', async () => {
    const file = join(folder(), 'model_outputs_small_5shots.json.gz');
    const raw = readFileSync(fixture('mmlu-pro', 'model_outputs_Small-3_1-8B-Instruct_5shots.json'));
    writeFileSync(file, gzipSync(raw));
    const [one, two] = [
      await imported('mmlu-pro', [], { inputs: [file] }),
      await imported('mmlu-pro', [], { inputs: [file] }),
    ];
    expect(one.summary).toMatchObject({ models: ['small'], cases: 2 });
    expect(two.summary.sha256).toBe(one.summary.sha256);
  });
});
