import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { LARGE, type MadeUpRow, moreRows, rowsWithReplies, SMALL, writeRows } from '../cli/made-up-data.ts';
import { LONG_RUN } from '../helpers/long-run.ts';

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

/** The examples meet the package as it was built before the tests: its name means nothing in a temporary folder. */
function fromBuild(example: string): string {
  const built = (file: string) => `from ${JSON.stringify(path.join(PACKAGE_FOLDER, 'dist', file))}`;
  return example
    .replace("from 'plimsoll'", built('router/index.js'))
    .replace("from 'plimsoll/evals'", built('evals/index.js'));
}

const PAGE = readFileSync(path.join(PACKAGE_FOLDER, 'docs/LIBRARY.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, example = '']) => fromBuild(example));

beforeAll(async () => {
  const provider = await startFakeProvider();
  closeProvider = () => provider.close();
  const [, yaml = ''] = /^```yaml\n(# gateway\.yaml\n.*?)^```$/ms.exec(PAGE) ?? [];
  writeFileSync(path.join(HOME, 'gateway.yaml'), yaml.replace('http://127.0.0.1:4010/v1', provider.url));
  writeRows(HOME, 'labelled.jsonl', moreRows(0, 900).map(renamed));
  writeRows(HOME, 'replies.jsonl', rowsWithReplies().map(renamed));
  writeRows(HOME, 'new.jsonl', moreRows(900, 900).map(renamed));
  writeFileSync(path.join(HOME, 'suite.yaml'), 'name: made-up\nmax_quality_loss: 0.12\n');
  mkdirSync(path.join(HOME, 'models'));
  for (const [i, example] of EXAMPLES.entries()) writeFileSync(path.join(HOME, `example-${i}.ts`), example);
  writeFileSync(path.join(HOME, 'package.json'), '{ "type": "module" }');
  const typeRoots = [path.join(PACKAGE_FOLDER, 'node_modules/@types')];
  const config = {
    extends: path.join(PACKAGE_FOLDER, 'tsconfig.json'),
    compilerOptions: { typeRoots, rewriteRelativeImportExtensions: false },
    include: ['*.ts'],
  };
  writeFileSync(path.join(HOME, 'tsconfig.json'), JSON.stringify(config));
});

/** What the first examples print, a line each, and what those print that train, gate and retrain. */
const SERVES = [
  /^cheap: small-models, within-threshold$/m,
  /^served: 200$/m,
  /^200 by local\/small\n\{.*"chat\.completion"/m,
  /^1 rows have all labels, for 0 US dollars$/m,
];
const LEARNS = [
  /^APGR 0\.\d\d, at least 0\.\d\d: Routing pays/m,
  /^A cascade pays here: .*\nloss 0\.01: escalates 0\.\d+$/m,
  /^a cascade with [1-9]\d* accept levels$/m,
  /^training: lr\S*, lambda /m,
  /^mine escalates 0\.\d+$/m,
  /^threshold -?\d\.\d{3}$/m,
  /^the gate says PASS at threshold -?0\.\d+\nmodels serves mine$/m,
  /^version 2 of the policy$/m,
  /^trained: models\/next\ngate: PASS\nmean quality drop -?0\.\d{4}, at most 0\.\d{4}, on \d+ cases\nnext serves$/m,
];

/** Runs so many of the examples, in the order of the page. */
function runExamples(count: number): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const imports = Array.from({ length: count }, (_, i) => `await import('./example-${i}.ts');\n`);
  writeFileSync(path.join(HOME, 'all.ts'), `${imports.join('')}export {};\n`);
  const args = ['--import', import.meta.resolve('tsx'), 'all.ts'];
  return run(process.execPath, args, { cwd: HOME }).catch((error) => error);
}

describe('docs/LIBRARY.md', () => {
  it('has examples, all of them typed', async () => {
    expect(EXAMPLES.length).toBeGreaterThan(6);
    const tsc = path.join(PACKAGE_FOLDER, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '--noEmit', '-p', HOME]).catch((error) => error);
    expect(stdout).toBe('');
  }, 120_000);

  it('routes, serves and calls models as it says', async () => {
    const { stdout, stderr } = await runExamples(SERVES.length);
    for (const line of SERVES) expect(stdout, stderr).toMatch(line);
  }, 60_000);

  it.runIf(LONG_RUN)(
    'runs from top to bottom',
    async () => {
      const { stdout, stderr } = await runExamples(EXAMPLES.length);
      for (const line of [...SERVES, ...LEARNS]) expect(stdout, stderr).toMatch(line);
    },
    300_000,
  );
});
