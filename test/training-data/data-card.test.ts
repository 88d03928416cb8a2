import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { written } from '../cases/written.ts';
import { loadSources } from '../importers/sources.ts';
import { DATA_CARD, everydayCases, withCounts } from './data-card.ts';

const card = readFileSync(DATA_CARD, 'utf8');

/** The fenced blocks of a language. */
function blocks(language: string): readonly string[] {
  return [...card.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  );
}

describe('training-data/README.md', () => {
  it('counts the cases as they are; npx tsx test/training-data/update-data-card.ts updates it', () => {
    expect(withCounts(card)).toBe(card);
    const stated = JSON.parse(/<!-- counted: (.*) -->/.exec(card)?.[1] ?? '');
    const { english, multilingual, heldOut } = everydayCases();
    const lengths = { english: english.length, multilingual: multilingual.length, heldOut: heldOut.length };
    expect(stated).toMatchObject(lengths);
    expect(stated.cheap + stated.strong).toBe(english.length + multilingual.length + heldOut.length);
  });

  it('names every public set with its rows, licence and use', () => {
    for (const { name, rows, licence, use } of loadSources(join(DATA_CARD, '..', 'sources.json'))) {
      const rowsOfCard = card.split('\n').map((line) => line.replace(/ +/g, ' '));
      const row = rowsOfCard.find((line) => line.startsWith(`| ${name} |`));
      expect(row, name).toContain(`| ${rows.toLocaleString('en')} |`);
      expect(row, name).toContain(licence ?? 'none');
      expect(row, name).toContain(use);
    }
  });

  it('shows CSV and JSON Lines that load', async () => {
    const [wide = '', long = ''] = blocks('csv');
    const [line = ''] = blocks('jsonl');
    const files = [written('wide.csv', wide), written('long.csv', long), written('one.jsonl', line)];
    for (const file of files) {
      const { cases, rejectedCount } = await loadCases([file]);
      expect([cases.length, rejectedCount]).toEqual([file.endsWith('.jsonl') ? 1 : 2, 0]);
      expect([...(cases[0]?.outcomes.keys() ?? [])]).toEqual(['small', 'large']);
    }
  });
});
