import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sampled } from '../helpers/long-run.ts';
import { jsonLines, LARGE, madeUpRows, SMALL, writeRows } from './made-up-data.ts';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const ROWS = madeUpRows();
/** Everyday questions stay cheap. */
const BY_TASK = ROWS.map(({ id, task }) => ({ id, model: task === 'everyday' ? SMALL : LARGE }));
const CHEAP = ROWS.map(({ id }) => ({ id, model: SMALL }));
const FLAGS = ['--ladder', `${SMALL},${LARGE}`, '--suite', 'suite.yaml', '--data', 'cases.csv'];
const SUITE = 'name: any\nmax_quality_loss: 0.15\nescalation_rate: { min: 0.2, max: 0.9 }\n';

/** A folder with cases, a suite and decisions, in which the command runs. */
function place(decisions: readonly object[] = BY_TASK): string {
  const cwd = scratchFolder();
  writeRows(cwd, 'cases.csv', ROWS);
  writeFileSync(path.join(cwd, 'suite.yaml'), SUITE);
  writeFileSync(path.join(cwd, 'chosen.jsonl'), jsonLines(decisions));
  return cwd;
}

const gate = (cwd: string, ...more: string[]) =>
  cli(['gate', '--decisions', 'chosen.jsonl', ...FLAGS, ...more], { cwd });

describe('plimsoll gate --decisions', () => {
  it('PASS: 0, the report, the look and the verdict where they were asked for', async () => {
    const cwd = place();
    const { code, stdout, stderr } = await gate(cwd, '--out', 'verdict.json', '--reports', 'reports');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /^PASS {2}chosen\.jsonl, decisions made elsewhere between made-small < made-large, suite any, 300 sealed cases\nIssued \d{4}-\d\d-\d\d\. It is of these decisions alone: nothing serves by it\.\n/m,
    );
    expect(stdout).toMatch(/^quality-loss .* promised +PASS$/m);
    expect(stdout).toMatch(/^beats-random .* described +PASS$/m);
    expect(stdout).toContain('\nThe decisions are better than a random choice of the same share');
    expect(stderr).toContain('chosen.jsonl: 300 rows, read as rows of id, key or prompt, and model.\n');
    const verdict = JSON.parse(readFileSync(path.join(cwd, 'verdict.json'), 'utf8'));
    expect(verdict).toMatchObject({ verdict: 'PASS', decisions: { file: 'chosen.jsonl', rows: 300 } });
    const looks = readFileSync(path.join(cwd, 'looks.jsonl'), 'utf8').trim().split('\n');
    expect(looks.map((line) => JSON.parse(line))).toMatchObject([
      { look: 1, artifact: 'chosen.jsonl', artifact_sha256: verdict.decisions.sha256 },
      { verdict: 'PASS', threshold: null },
    ]);
    const report = (name: string) => readFileSync(path.join(cwd, 'reports', name), 'utf8');
    expect(JSON.parse(report('verdict.json'))).toEqual(verdict);
    const hash = verdict.decisions.sha256;
    expect(report('report.md')).toMatch(
      /^<!-- plimsoll-gate:chosen\.jsonl -->\n\nSending 53 % of requests to made-small, as the decisions in chosen\.jsonl do, loses at most 9\.5 points .*\n\n## ✓ PASS: chosen\.jsonl\n/,
    );
    expect(report('report.md')).toContain(`decisions ${hash.slice(0, 12)}, suite`);
    expect(report('report.xml')).toContain(`<property name="decisions.sha256" value="${hash}"/>`);
    expect(report('report.xml')).toContain('classname="chosen.jsonl.decisions" name="quality-loss"');
    const page = report('report.html');
    expect(page).toContain(
      '<p>Decisions made elsewhere between made-small &lt; made-large, held against suite any.',
    );
    expect(page).toContain(hash);
    expect(page).not.toMatch(/The thick line|Are the probabilities right|undefined|NaN/);
    expect(page).toContain('Broken lines are the baselines');
  });

  it('FAIL: 10; --json prints the verdict; --check repeats it, refuses other suites and leaves nothing behind', async () => {
    const cwd = place(CHEAP);
    expectRefusal(await gate(cwd, '--check'), /A check repeats a look that is on record/);
    expect(existsSync(path.join(cwd, 'looks.jsonl'))).toBe(false);
    const { code, stdout } = await gate(cwd, '--json', '--issued', '2026-01-01T00:00:00Z');
    expect(code).toBe(10);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'FAIL', looks: { number: 1 } });
    const looks = readFileSync(path.join(cwd, 'looks.jsonl'));
    const again = await gate(cwd, '--json', '--check', '--issued', '2026-01-01T00:00:00Z');
    expect([again.code, again.stdout]).toEqual([10, stdout]);
    writeFileSync(path.join(cwd, 'suite.yaml'), SUITE.replace('0.15', '0.9'));
    expectRefusal(await gate(cwd, '--check'), /it was gated by any \(sha256 .* Gate it without --check/);
    expect(readFileSync(path.join(cwd, 'looks.jsonl'))).toEqual(looks);
  });

  it('a second file on the same cases is a second look', async () => {
    const cwd = place();
    jsonOf(await gate(cwd, '--json'));
    writeFileSync(path.join(cwd, 'chosen.jsonl'), jsonLines(CHEAP));
    const { stdout } = await gate(cwd);
    expect(stdout).toMatch(/WARNING: Look 2 at these sealed cases/);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d +chosen\.jsonl +– +any +PASS$/m);
  });

  it('columns with other names, and decisions of other cases', async () => {
    const cwd = place();
    const rows = [...BY_TASK, { id: 'elsewhere', model: 'another' }];
    const table = `request;route\n${rows.map(({ id, model }) => `${id};${model}\n`).join('')}`;
    writeFileSync(path.join(cwd, 'log.csv'), table);
    const flags = ['gate', '--decisions', 'log.csv', ...FLAGS, '--decisions-map', 'id=request,model=route'];
    expectRefusal(
      await cli(flags, { cwd }),
      /1 decision is of no case in the data.*id "elsewhere" \(line 302\)/,
    );
    const { code, stderr } = await cli([...flags, '--ignore-unknown'], { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('1 decision is of no case in the data and was left out.\n');
  });

  it.each(
    sampled([
      [
        'a case without a decision',
        BY_TASK.slice(1),
        /1 of the 300 cases have no decision\. The first: "row-0"/,
      ],
      [
        'two decisions',
        [...BY_TASK, { id: 'row-0', model: LARGE }],
        /:301: the case "row-0" is decided twice: made-large here, and made-small on line 1/,
      ],
      [
        'a model outside the ladder',
        [...BY_TASK.slice(1), { id: 'row-0', model: 'made-medium' }],
        /:300: the model "made-medium" is not on the ladder, which is made-small < made-large/,
      ],
      ['no column', [{ request: 'row-0' }], /:1: no decision can be read from this row\. It has request/],
    ]),
  )('%s: 1', async (_, decisions, pattern) => {
    const cwd = place(decisions);
    expectRefusal(await gate(cwd), pattern);
    expect(existsSync(path.join(cwd, 'looks.jsonl'))).toBe(false);
  });

  it.each(
    sampled<[string, string, RegExp, number]>([
      ['a rung twice', `${SMALL},${SMALL}`, /two or more models, cheapest first, each once, /, 2],
      ['one rung', SMALL, /--ladder takes two or more models, cheapest first/, 2],
      ['a model without outcomes', `${SMALL},gpt-9`, /No row has an outcome of gpt-9/, 1],
    ]),
  )('a ladder with %s', async (_, ladder, pattern, code) => {
    expectRefusal(await gate(place(), '--ladder', ladder), pattern, code);
  });

  it.each(
    sampled([
      [
        'neither',
        ['--suite', 'suite.yaml'],
        /required option '--artifact <folder>' or '--decisions <file>' not specified/,
      ],
      ['both', ['--artifact', 'a', '--decisions', 'chosen.jsonl', ...FLAGS], /exclude each other/],
      ['no ladder', ['--decisions', 'chosen.jsonl', '--suite', 'suite.yaml'], /--decisions needs --ladder/],
      [
        'a flag of decisions beside an artifact',
        ['--artifact', 'a', '--suite', 's', '--looks', 'l'],
        /go with --decisions/,
      ],
      [
        'a check that shall write',
        ['--decisions', 'chosen.jsonl', ...FLAGS, '--check', '--out', 'v.json'],
        /--check writes nothing/,
      ],
      [
        'a plan of labels',
        ['--decisions', 'chosen.jsonl', ...FLAGS, '--label-plan', 'p.json'],
        /--label-plan goes with --artifact/,
      ],
      [
        'no map',
        ['--decisions', 'chosen.jsonl', ...FLAGS, '--decisions-map', 'id'],
        /"id" is not name=column/,
      ],
    ]),
  )('wrong usage, %s: 2', async (_, flags, pattern) => {
    expectRefusal(await cli(['gate', ...flags], { cwd: place() }), pattern, 2);
  });
});
