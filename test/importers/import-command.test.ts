import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { importCommand } from '../../scripts/commands/import.ts';
import { IMPORTERS } from '../../scripts/importers/index.ts';
import { fixture } from './imported.ts';

afterEach(() => vi.restoreAllMocks());

async function run(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += text;
      return true;
    });
  }
  await importCommand().exitOverride().parseAsync(args, { from: 'user' });
  vi.restoreAllMocks();
  return said;
}

const raw = fixture('grade-school-math', 'example_model_solutions.jsonl');

describe('plimsoll import', () => {
  it('lists every format in its help', () => {
    let help = '';
    importCommand()
      .configureOutput({ writeOut: (text) => (help += text) })
      .outputHelp();
    for (const { format } of IMPORTERS) expect(help).toContain(`\n  ${format} `);
    expect(help).toContain('grade_school_math/data/example_model_solutions.jsonl');
  });

  it('prints the summary as JSON and reports bad rows on stderr', async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'plimsoll-import-')), 'cases.jsonl.gz');
    const { stdout, stderr } = await run(
      'grade-school-math',
      raw,
      '--out',
      out,
      '--max-rejects',
      '0.5',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'grade-school-math',
      cases: 1,
      models: ['gpt3-175b-verification', 'gpt3-6b-finetuning'],
      rejected: 1,
      out,
    });
    expect(stderr).toContain(`${raw}:2: 6b_finetuning: must have is_correct and solution`);
    expect(existsSync(out)).toBe(true);
  });

  it('fails on too many bad rows and on a share that is none', async () => {
    await expect(run('grade-school-math', raw, '--out', 'never.jsonl')).rejects.toThrow('1 of 2 rows');
    await expect(run('csv', raw, '--out', 'never.jsonl', '--max-rejects', '2')).rejects.toThrow('0 to 1');
    expect(existsSync('never.jsonl')).toBe(false);
  });
});
