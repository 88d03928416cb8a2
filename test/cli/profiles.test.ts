import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const CONFIG = `
ladder: { cheap: { for: [sql] } }
profiles:
  careful: { margin: 0.001 }
  contracts: { extends: careful, ladder: { strong: claude }, cascade: off }
`;

it('plimsoll profiles: what each resolves to, where it comes from, and why it would not serve', async () => {
  const cwd = scratchFolder();
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), CONFIG);
  const { code, stdout, stderr } = await cli(['profiles'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^contracts extends careful$/m);
  expect(stdout).toMatch(/^ {2}cheap {2,}small-models, for sql {2,}as learned$/m);
  expect(stdout).toMatch(/^ {2}strong {2,}claude {2,}profiles\.contracts\.ladder\.strong$/m);
  expect(stdout).toMatch(/^ {2}margin {2,}0\.001 {2,}profiles\.careful\.margin$/m);
  expect(stdout).toMatch(/^ {2}verdict {2,}none/m);
  expect(stdout).toMatch(/profiles\.careful\.margin allows only 0\.001/);
  const { profiles } = jsonOf(await cli(['profiles', '--json'], { cwd }));
  expect(profiles).toMatchObject([
    { name: 'careful', extends: [], cascade: { value: 'within 20000 ms' }, verdict: { status: 'none' } },
    {
      name: 'contracts',
      extends: ['careful'],
      margin: { value: 0.001, from: 'profiles.careful.margin' },
      cascade: { value: 'off', from: 'profiles.contracts.cascade' },
      policy: { value: 'default', from: 'default_policy' },
    },
  ]);
});

it('plimsoll profiles without any, and with a circle', async () => {
  const cwd = scratchFolder();
  expect((await cli(['profiles'], { cwd })).stdout).toBe('The configuration has no profiles.\n');
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), 'profiles: { a: { extends: a } }\n');
  expectRefusal(await cli(['profiles'], { cwd }), /in a circle: a extends a/, 1);
});
