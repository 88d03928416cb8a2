import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findImporter } from '../../scripts/importers/run-import.ts';
import { loadSources } from './sources.ts';

const shipped = join(import.meta.dirname, '..', '..', 'training-data', 'sources.json');

describe('training-data/sources.json', () => {
  const sources = loadSources(shipped);

  it('lists the nine public sets, each once', () => {
    expect(sources).toHaveLength(9);
    expect(new Set(sources.map(({ name }) => name)).size).toBe(9);
    expect(new Set(sources.map(({ sha256 }) => sha256)).size).toBe(9);
  });

  it('names importers that exist', () => {
    for (const { importer } of sources) {
      if (importer !== null) expect(findImporter(importer).format).toBe(importer);
    }
  });

  it('lets nothing without a licence be trained on', () => {
    const training = sources.filter(({ use }) => use === 'training');
    expect(training.map(({ name }) => name).sort()).toEqual(['llmrouter', 'mmlu_pro', 'zeroeval']);
    expect(training.every(({ licence }) => licence !== null)).toBe(true);
  });
});

describe('loadSources', () => {
  const [first] = JSON.parse(JSON.stringify(loadSources(shipped)));

  it.each([
    ['an unknown field', { ...first, url: 'x' }, 'Unrecognized key'],
    ['training without a licence', { ...first, use: 'training', licence: null }, 'evaluation only'],
    ['a short hash', { ...first, sha256: 'abc' }, '0.sha256'],
    ['an address that is none', { ...first, address: 'RouteLLM' }, '0.address'],
  ])('refuses %s', (_name, source, message) => {
    const file = join(mkdtempSync(join(tmpdir(), 'plimsoll-sources-')), 'sources.json');
    writeFileSync(file, JSON.stringify([source]));
    expect(() => loadSources(file)).toThrow(message);
  });

  it('says what is wrong with a file that is not there or no JSON', () => {
    expect(() => loadSources('no/such.json')).toThrow('no such file');
    expect(() => loadSources(join(import.meta.dirname, 'sources.test.ts'))).toThrow('not valid JSON');
  });
});
