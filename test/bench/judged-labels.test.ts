import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';

it('compares labels of a judge, corrected ones and those of people in each world', () => {
  const args = ['--resamples', '2', '--judged', '400', '--people', '200'];
  const table = execFileSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/bench/judged-labels.ts', ...args],
    {
      cwd: PACKAGE_FOLDER,
      encoding: 'utf8',
    },
  );
  const rows = table.trimEnd().split('\n').slice(2);
  expect(rows).toHaveLength(16);
  const escalated = (row: string) => Number.parseFloat(row.split('|').at(-2)!);
  for (let world = 0; world < 4; world++) {
    const [alone, corrected, people, all] = rows.slice(4 * world, 4 * world + 4);
    expect(alone).toContain('| judge alone |');
    expect(corrected).toMatch(/\| judge, corrected by people \| 0\.0 % \(0\.0 % to 84\.2 %\)/);
    expect(escalated(all!)).toBeLessThanOrEqual(escalated(people!));
  }
}, 60_000);
