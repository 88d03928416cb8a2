import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { jsonLines } from './made-up-data.ts';
import { CLI, scratchFolder } from './run-cli.ts';

/** The commands of docs/GATE-ANY-ROUTER.md, run in the order of the page in one folder. */
const HOME = scratchFolder();
const PAGE = readFileSync(path.join(PACKAGE_FOLDER, 'docs/GATE-ANY-ROUTER.md'), 'utf8');
const CASES = 'rational_cascades.jsonl.gz';
const WITH_CONFIDENCE = 'rational_cascades_answers.jsonl.gz';
/** With the public sets the figures of the page are compared too; without them the cases are made up. */
const PUBLIC = process.env['PLIMSOLL_DATA'];
const SETS = PUBLIC !== undefined && existsSync(path.join(PUBLIC, WITH_CONFIDENCE)) ? PUBLIC : undefined;

interface Block {
  readonly language: string;
  readonly text: string;
}

const BLOCKS: readonly Block[] = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, language = '', text = '']) => ({ language, text }),
);

/** Each block of commands with the output that follows it, if one does. */
const RUNS = BLOCKS.flatMap(({ language, text }, i) => {
  if (language !== 'sh') return [];
  const next = BLOCKS[i + 1];
  return [{ commands: text, shown: next?.language === 'text' ? next.text : '' }];
});

function madeUpSet(): object[] {
  return Array.from({ length: 600 }, (_, i) => {
    const sure = i % 2 === 0;
    return {
      id: `made-${i}`,
      task: sure ? 'easy' : 'hard',
      prompt: `Made-up question ${i} about a river`,
      outcomes: {
        'llama3.1-8b': {
          quality: sure ? 1 : 0,
          cost_usd: 0.0001,
          confidence_logprob: sure ? -i / 1e4 : -1 - i / 1e4,
        },
        'llama3.1-405b': { quality: 1, cost_usd: 0.001 },
      },
    };
  });
}

function run(commands: string) {
  const script = commands.replaceAll('npm run -s plimsoll --', `"${process.execPath}" "${CLI}"`);
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], { cwd: HOME, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

const file = (name: string, text: string | Buffer) => writeFileSync(path.join(HOME, name), text);

beforeAll(() => {
  mkdirSync(path.join(HOME, 'DATA'));
  for (const name of [CASES, WITH_CONFIDENCE]) {
    const to = path.join(HOME, 'DATA', name);
    if (SETS === undefined) writeFileSync(to, gzipSync(jsonLines(madeUpSet())));
    else copyFileSync(path.join(SETS, name), to);
  }
  for (const { text } of BLOCKS) {
    const [, name] = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(text) ?? [];
    if (name !== undefined) file(name, text);
  }
  const rows = Array.from({ length: 200 }, (_, i) => i);
  file('chosen.csv', `id,model\n${rows.map((i) => `r${i},${i % 2 ? 'small' : 'large'}\n`).join('')}`);
  const labelled = rows.map((i) => `r${i},Question ${i} of the first example,${i % 2},1\n`).join('');
  file('labelled.csv', `id,prompt,small.quality,large.quality\n${labelled}`);
  file('suite.yaml', 'name: mine\nmax_quality_loss: 0.05\n');
});

describe('docs/GATE-ANY-ROUTER.md', () => {
  it('has commands: the short one, two routers, and the claim', () => {
    expect(RUNS).toHaveLength(4);
  });

  it.runIf(LONG_RUN)(
    'runs from top to bottom',
    () => {
      const [short, random, confident, claim] = RUNS.map(({ commands }) => run(commands));
      expect(short!.code, short!.stderr).toBe(0);
      expect(random!.stdout, random!.stderr).toMatch(/^FAIL {2}random\.jsonl, decisions made elsewhere/m);
      expect(random!.code).toBe(10);
      expect(confident!.stdout, confident!.stderr).toMatch(
        /^PASS {2}confident\.jsonl, decisions made elsewhere/m,
      );
      expect(confident!.code).toBe(0);
      expect(confident!.stdout).toContain('WARNING: Look 2 at these sealed cases');
      for (const name of ['verdict.json', 'reports/report.html']) {
        expect(existsSync(path.join(HOME, name))).toBe(true);
      }
      expect(claim!.code, claim!.stderr).toBe(11);
      expectShown(claim!.stdout, RUNS[3]!.shown);
      if (SETS === undefined) return;
      expectShown(random!.stdout, RUNS[1]!.shown);
      expectShown(confident!.stdout, RUNS[2]!.shown);
    },
    300_000,
  );

  it('the figures of the claim are what its program prints', () => {
    const at = BLOCKS.findIndex(({ language }) => language === 'ts');
    const statistics = path.join(PACKAGE_FOLDER, 'router/statistics/index.ts');
    file('claim.ts', BLOCKS[at]!.text.replace('./router/statistics/index.ts', statistics));
    const args = ['--import', import.meta.resolve('tsx'), path.join(HOME, 'claim.ts')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout, stderr).toBe(BLOCKS[at + 1]!.text);
  }, 60_000);
});

/** Every line that the page shows is printed, in that order; what it leaves out is `…`. */
function expectShown(stdout: string, shown: string): void {
  const printed = stdout.split('\n');
  const lines = shown.split('\n').filter((line) => line !== '' && line !== '…');
  expect(lines.length).toBeGreaterThan(3);
  expect(printed.filter((line) => lines.includes(line))).toEqual(lines);
}
