import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { LONG_RUN } from '../helpers/long-run.ts';
import { type ActionRun, type ActionStep, actionRunner } from './action-runner.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

const FILE = fileURLToPath(new URL('../../action.yml', import.meta.url));
const text = readFileSync(FILE, 'utf8');
const action = parse(text) as {
  readonly inputs: Readonly<Record<string, { required?: boolean; default?: string; description: string }>>;
  readonly outputs: Readonly<Record<string, { value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] };
};
const { steps } = action.runs;
const EXPRESSION = /\$\{\{/;

describe('action.yml', () => {
  it('is a composite action whose inputs are described, and required or with a default', () => {
    expect(action.runs.using).toBe('composite');
    for (const [name, input] of Object.entries(action.inputs)) {
      expect(input.description, name).toMatch(/\.$/);
      expect(input.required === true || typeof input.default === 'string', name).toBe(true);
    }
  });

  it('uses every input, and no other', () => {
    const used = new Set([...text.matchAll(/inputs\.([a-z-]+)/g)].map((match) => match[1]!));
    expect([...used].sort()).toEqual(Object.keys(action.inputs).sort());
  });

  it('has expressions in env, with and if alone: none in a script, where an input could become a command', () => {
    for (const { env: _, with: __, if: ___, ...rest } of steps) {
      expect(JSON.stringify(rest)).not.toMatch(EXPRESSION);
    }
    expect(JSON.stringify(action.inputs)).not.toMatch(EXPRESSION);
  });

  it('runs scripts in bash and other actions by a full version', () => {
    for (const { run, shell, uses } of steps) {
      if (run !== undefined) expect(shell).toBe('bash');
      else expect(uses).toMatch(/^actions\/[a-z-]+@v\d+\.\d+\.\d+$/);
    }
  });

  it('uploads, comments and ends also where the gate did not pass, and comments on pull requests only', () => {
    for (const { if: condition } of steps.slice(2)) expect(condition).toMatch(/^\$\{\{ !cancelled\(\)/);
    const { if: condition } = steps.find(({ env }) => env?.['GH_TOKEN'] !== undefined)!;
    expect(condition).toContain("inputs.comment == 'true' && github.event.pull_request.number");
  });
});

describe('its scripts', { timeout: 60_000 }, () => {
  let tiny: TinyGating;
  let run: (name: string, inputs: Readonly<Record<string, string>>) => Promise<ActionRun>;
  beforeAll(async () => {
    tiny = await tinyGating();
    const runner = actionRunner(steps, action.inputs, tiny.home);
    run = (name, inputs) => runner(name, { artifact: 'mine', suite: 'suite.yaml', ...inputs });
  });

  it.each([
    ['PASS', 'passing.jsonl', 0, /^## ✓ PASS: mine$/m],
    ['FAIL', 'failing.jsonl', 10, /^## ✗ FAIL: mine$/m],
    ['INCONCLUSIVE', 'few.jsonl', 11, /^## \? INCONCLUSIVE: mine$/m],
    ['ERROR', 'nowhere.jsonl', 1, /^ {4}plimsoll: .*nowhere\.jsonl.* there is no such file/m],
  ])('%s: outputs, summary, comment, and the exit code last', async (verdict, data, code, said) => {
    const { exitCode, outputs, summary, comments, stdout } = await run(`is-${verdict}`, { data });
    expect(outputs).toEqual({ verdict, 'exit-code': String(code) });
    expect(summary).toMatch(said);
    expect(comments).toEqual([{ id: 1, user: { login: 'github-actions[bot]' }, body: summary }]);
    expect(summary.split('\n')[0]).toBe('<!-- plimsoll-gate:mine -->');
    expect(stdout).toMatch(new RegExp(`^Plimsoll gate: ${verdict}$`, 'm'));
    expect(exitCode).toBe(code);
  });

  it('writes all reports; an error leaves none of an earlier run', async () => {
    const reports = path.join(tiny.home, 'reports-here');
    await run('reports', { data: 'passing.jsonl', reports: 'reports-here' });
    for (const name of ['verdict.json', 'report.md', 'report.xml', 'report.html']) {
      expect(existsSync(path.join(reports, name)), name).toBe(true);
    }
    await run('reports', { data: 'nowhere.jsonl', reports: 'reports-here' });
    expect(existsSync(path.join(reports, 'verdict.json'))).toBe(false);
    expect(readFileSync(path.join(reports, 'report.md'), 'utf8')).toMatch(/^## ! ERROR/m);
  });

  it.runIf(LONG_RUN)(
    'a second run replaces its comment, an error replaces a PASS, and what others wrote stays',
    async () => {
      const others = [
        { id: 51, user: { login: 'someone' }, body: '<!-- plimsoll-gate:mine -->\n\n## ✓ PASS: trust me' },
        { id: 52, user: { login: 'github-actions[bot]' }, body: '<!-- plimsoll-gate:another -->\nits own' },
      ];
      const before = { comments: JSON.stringify(others) };
      const first = await run('again', { data: 'passing.jsonl', ...before });
      expect(first.comments.map(({ id }) => id)).toEqual([51, 52, 3]);
      const second = await run('again', { data: 'failing.jsonl' });
      expect(second.comments.slice(0, 2)).toEqual(others);
      expect(second.comments.map(({ id }) => id)).toEqual([51, 52, 3]);
      expect(second.comments[2]!.body).toMatch(/^## ✗ FAIL/m);
      const third = await run('again', { data: 'nowhere.jsonl' });
      expect(third.comments).toHaveLength(3);
      expect(third.comments[2]!.body).toMatch(/^## ! ERROR/m);
    },
  );

  it.runIf(LONG_RUN)('reads data from several lines, and compares with an earlier verdict', async () => {
    const { outputs, summary } = await run('lines', { data: '\npassing.jsonl\r\nfew-more.jsonl\n' });
    expect(outputs['verdict']).toBe('ERROR');
    expect(summary).toContain('few-more.jsonl');
    const compared = await run('compared', { data: 'passing.jsonl', previous: 'mine' });
    expect(compared.summary).toContain('### Against the previous verdict');
  });

  it('takes no input as a command', async () => {
    const evil = '$(touch pwned) `touch pwned`; touch pwned "\' && touch pwned';
    const names = ['artifact', 'suite', 'data', 'previous', 'reports', 'version'];
    const { outputs } = await run('evil', Object.fromEntries(names.map((name) => [name, evil])));
    expect(outputs['verdict']).toBe('ERROR');
    expect(existsSync(path.join(tiny.home, 'pwned'))).toBe(false);
  });

  it('runs what the project has installed, or another version, command or folder where told', async () => {
    const installed = await run('installed', { data: 'few.jsonl' });
    expect(installed.npx).toMatch(/^--no -- plimsoll gate --artifact=mine /);
    mkdirSync(path.join(tiny.home, 'a folder'));
    const { outputs, npx } = await run('elsewhere', {
      artifact: '../mine',
      suite: '../suite.yaml',
      data: '../few.jsonl',
      'working-directory': 'a folder',
      version: '0.2.0',
    });
    expect(npx).toMatch(/^--yes -- plimsoll@0\.2\.0 gate /);
    expect(outputs['verdict']).toBe('INCONCLUSIVE');
    expect(existsSync(path.join(tiny.home, 'a folder/gate-reports/report.md'))).toBe(true);
    const command = 'npx -c as-told plimsoll';
    expect((await run('command', { data: 'few.jsonl', command })).npx).toMatch(/^-c as-told plimsoll gate /);
  });

  it.runIf(LONG_RUN)(
    'keeps the verdict where no comment may be written, and where none is asked for',
    async () => {
      const denied = await run('denied', { data: 'failing.jsonl', gh: 'denied' });
      expect(denied.stdout).toMatch(/^::warning::.*pull-requests: write/m);
      expect(denied).toMatchObject({ exitCode: 10, comments: [] });
      expect(await run('quiet', { data: 'passing.jsonl', comment: 'false' })).toMatchObject({
        exitCode: 0,
        comments: [],
      });
    },
  );

  it('a report too long for a comment is cut down to its head', async () => {
    const report = path.join(tiny.home, 'long/report.md');
    mkdirSync(path.dirname(report));
    writeFileSync(report, `<!-- plimsoll-gate:mine -->\n\n## ✓ PASS: mine\n\n${'é'.repeat(70_000)}\n`);
    const comment = steps.filter(({ env }) => env?.['GH_TOKEN'] !== undefined);
    const { comments } = await actionRunner(comment, action.inputs, tiny.home)('long', { reports: 'long' });
    expect(comments[0]!.body).toMatch(/^<!-- plimsoll-gate:mine -->\n\n## ✓ PASS: mine\n[\s\S]*too long/);
    expect(comments[0]!.body.length).toBeLessThan(65_536);
    rmSync(path.dirname(report), { recursive: true });
  });
});
