import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { LARGE, type MadeUpRow, moreRows, SMALL, writeRows } from '../cli/made-up-data.ts';

/** Examples of docs/LIBRARY.md are programs, run in the order of the page in one folder. */
const HOME = mkdtempSync(path.join(tmpdir(), 'plimsoll-library-'));
let closeProvider: () => Promise<void> | void = () => {};
afterAll(async () => {
  await closeProvider();
  rmSync(HOME, { recursive: true, force: true });
});

const run = promisify(execFile);

/** The page names real models; the made-up rows get their names. */
const NAMES: Readonly<Record<string, string>> = { [SMALL]: 'gpt-4o-mini', [LARGE]: 'gpt-4o' };
const renamed = (row: MadeUpRow): MadeUpRow => ({
  ...row,
  outcomes: Object.fromEntries(
    Object.entries(row.outcomes).map(([model, outcome]) => [NAMES[model] ?? model, outcome]),
  ),
});

/** The package by its name is what was built last: the examples shall meet the sources. */
function withSources(example: string): string {
  const source = (file: string) => `from ${JSON.stringify(path.join(PACKAGE_FOLDER, file))}`;
  return example
    .replace("from 'plimsoll'", source('router/index.ts'))
    .replace("from 'plimsoll/evals'", source('evals/index.ts'));
}

const PAGE = readFileSync(path.join(PACKAGE_FOLDER, 'docs/LIBRARY.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, example = '']) => withSources(example));

beforeAll(async () => {
  const provider = await startFakeProvider();
  closeProvider = () => provider.close();
  const [, yaml = ''] = /^```yaml\n(# gateway\.yaml\n.*?)^```$/ms.exec(PAGE) ?? [];
  writeFileSync(path.join(HOME, 'gateway.yaml'), yaml.replace('http://127.0.0.1:4010/v1', provider.url));
  writeRows(HOME, 'labelled.jsonl', moreRows(0, 900).map(renamed));
  writeRows(HOME, 'new.jsonl', moreRows(900, 900).map(renamed));
  writeFileSync(path.join(HOME, 'suite.yaml'), 'name: made-up\nmax_quality_loss: 0.12\n');
  mkdirSync(path.join(HOME, 'models'));
  for (const [i, example] of EXAMPLES.entries()) writeFileSync(path.join(HOME, `example-${i}.ts`), example);
  writeFileSync(
    path.join(HOME, 'all.ts'),
    `${EXAMPLES.map((_, i) => `await import('./example-${i}.ts');\n`).join('')}export {};\n`,
  );
  writeFileSync(path.join(HOME, 'package.json'), '{ "type": "module" }');
  const typeRoots = [path.join(PACKAGE_FOLDER, 'node_modules/@types')];
  const config = {
    extends: path.join(PACKAGE_FOLDER, 'tsconfig.json'),
    compilerOptions: { typeRoots, rewriteRelativeImportExtensions: false },
    include: ['*.ts'],
  };
  writeFileSync(path.join(HOME, 'tsconfig.json'), JSON.stringify(config));
});

describe('docs/LIBRARY.md', () => {
  it('has examples, all of them typed', async () => {
    expect(EXAMPLES.length).toBeGreaterThan(6);
    const tsc = path.join(PACKAGE_FOLDER, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '--noEmit', '-p', HOME]).catch((error) => error);
    expect(stdout).toBe('');
  }, 120_000);

  it('runs from top to bottom', async () => {
    const args = ['--import', import.meta.resolve('tsx'), 'all.ts'];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: HOME }).catch((error) => error);
    for (const line of [
      /^cheap: small-models, within-threshold$/m,
      /^served: 200$/m,
      /^200 by local\/small\n\{.*"chat\.completion"/m,
      /^APGR 0\.\d\d, at least 0\.\d\d: Routing pays/m,
      /^training: lambda /m,
      /^mine escalates 0\.\d+$/m,
      /^threshold -?\d\.\d{3}$/m,
      /^the gate says PASS at threshold -?0\.\d+\nmodels serves mine$/m,
      /^version 2 of the policy$/m,
      /^trained: models\/next\ngate PASS, decision PASS $/m,
    ]) {
      expect(stdout, stderr).toMatch(line);
    }
  }, 300_000);
});
