import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTierCases } from '../../evals/cases/authored-cases.ts';
import { loadTierCases, questionKey } from '../../evals/cases/index.ts';

const row = {
  id: 'a',
  task: 'chat',
  language: 'en',
  prompt: ' Name three knots. ',
  tier: 'cheap',
  why: 'Common knowledge.',
};

function fileOf(...rows: readonly unknown[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'plimsoll-tiers-')), 'tiers.jsonl');
  writeFileSync(file, rows.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  return file;
}

describe('readTierCases', () => {
  it('gives the routed text of a prompt', () => {
    expect(readTierCases(fileOf(row, ''))).toEqual([
      {
        id: 'a',
        task: 'chat',
        language: 'en',
        text: 'Name three knots.',
        tier: 'cheap',
        why: 'Common knowledge.',
      },
    ]);
  });

  it('scores what the person wrote in messages, newest first', () => {
    const { prompt: _, ...rest } = row;
    const messages = [
      { role: 'user', content: 'Name three knots.' },
      { role: 'assistant', content: 'Bowline, cleat, reef.' },
      { role: 'user', content: 'Which holds best?' },
    ];
    expect(readTierCases(fileOf({ ...rest, messages }))[0]).toMatchObject({
      text: 'Which holds best?\n\nName three knots.',
      turns: 2,
    });
  });

  it.each([
    ['not JSON', '{', '', 'not valid JSON'],
    ['an unknown task', { ...row, id: 'b', task: 'sailing' }, 'task', 'Invalid option'],
    ['an unknown field', { ...row, id: 'b', teir: 'cheap' }, '', 'teir'],
    ['neither prompt nor messages', { ...row, id: 'b', prompt: undefined }, 'prompt', 'either'],
    ['a blank prompt', { ...row, id: 'b', prompt: ' ' }, 'prompt', 'Too small'],
    ['a long reason', { ...row, id: 'b', why: 'x'.repeat(161) }, 'why', 'Too big'],
    ['an id twice', row, 'id', 'earlier row'],
  ])('names line and field of %s', (_name, bad, field, reason) => {
    const file = fileOf(row, bad);
    expect(() => readTierCases(file)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    expect(() => readTierCases(file)).toThrow(
      expect.objectContaining({ place: { file, line: 2, ...(field && { field }) } }),
    );
    expect(() => readTierCases(file)).toThrow(reason);
  });

  it('refuses a file that is empty or not there', () => {
    expect(() => readTierCases(fileOf(''))).toThrow('no row of data');
    expect(() => readTierCases('no/such.jsonl')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('loadTierCases', () => {
  it('lets the cheap model fail on tier strong only, and the strong one never', () => {
    const file = fileOf(row, { ...row, id: 'b', prompt: 'Prove it.', tier: 'strong' });
    const [easy, hard] = loadTierCases(file, { cheap: 'small', strong: 'large' });
    expect(easy).toEqual({
      id: 'a',
      language: 'en',
      text: 'Name three knots.',
      key: questionKey('Name three knots.'),
      task: 'chat',
      source: 'everyday',
      outcomes: new Map([
        ['small', { quality: 1 }],
        ['large', { quality: 1 }],
      ]),
    });
    expect([hard?.outcomes.get('small')?.quality, hard?.outcomes.get('large')?.quality]).toEqual([0, 1]);
  });
});
