import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, LARGE, madeUpRows, SMALL } from './made-up-data.ts';
import { cli, expectRefusal, jsonOf, scratchFolder } from './run-cli.ts';

const ROWS = madeUpRows();
const CONFIG = `
ladder: { cheap: ${SMALL}, strong: ${LARGE} }
rules:
  - { name: everyday, when: { task: everyday }, use: cheap }
  - { name: code, when: { matches: '(?i)\\bregular expression of nobody\\b' }, use: strong }
`;

/** A folder with cases, a suite and a configuration, in which the command runs. */
function place(config = CONFIG): string {
  const cwd = scratchFolder();
  writeFileSync(path.join(cwd, 'cases.jsonl'), jsonLines(ROWS));
  writeFileSync(path.join(cwd, 'suite.yaml'), 'name: any\nmax_quality_loss: 0.15\n');
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), config);
  return cwd;
}

describe('plimsoll rules', () => {
  it('test: a table of the rules, and those that never fired', async () => {
    const { code, stdout, stderr } = await cli(['rules', 'test', 'cases.jsonl'], { cwd: place() });
    expect(code, stderr).toBe(0);
    const everyday = ROWS.filter(({ task }) => task === 'everyday').length;
    expect(stdout).toMatch(new RegExp(`^everyday +use cheap +${everyday} +\\d+\\.\\d %$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^\\(no rule\\) +the policy decides +${ROWS.length - everyday} `, 'm'));
    expect(stdout).toContain('\nNever fired: code.\n');
  });

  it('test --json: the rule of each case, by the tags, headers and times of its row', async () => {
    const cwd = place(`
rules:
  - { name: night, when: { tag: batch, hours: { from: "22:00", to: "06:00" } }, use: cheap }
  - { name: dev, when: { header: { x-env: dev }, key: k1 }, at_least: strong }
  - { name: model, when: { model: openai/big }, refuse: No. }
`);
    const rows = [
      { id: 'a', prompt: 'One', tags: ['Batch'], time: '2026-12-01T23:00:00Z' },
      { id: 'b', prompt: 'Two', tags: ['batch'], time: '2026-12-01T12:00:00Z' },
      { id: 'c', prompt: 'Three', headers: { 'X-Env': 'dev' }, key_id: 'k1' },
      { id: 'd', prompt: 'Four', requested_model: 'openai/big' },
      { id: 'e', messages: [{ role: 'user', content: 'Five' }] },
    ];
    writeFileSync(path.join(cwd, 'rows.jsonl'), jsonLines(rows));
    const result = jsonOf(await cli(['rules', 'test', 'rows.jsonl', '--json'], { cwd }));
    expect(result).toMatchObject({
      n: 5,
      never_fired: [],
      cases: [
        { id: 'a', rule: 'night' },
        { id: 'b', rule: null },
        { id: 'c', rule: 'dev' },
        { id: 'd', rule: 'model' },
        { id: 'e', rule: null },
      ],
    });
  });

  it('decide: what rules alone decide is gated like any router', async () => {
    const cwd = place();
    const decided = await cli(['rules', 'decide', 'cases.jsonl', '--out', 'chosen.jsonl'], { cwd });
    expect(decided.code, decided.stderr).toBe(0);
    const lines = readFileSync(path.join(cwd, 'chosen.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      ROWS.map(({ id, task }) => ({ id, model: task === 'everyday' ? SMALL : LARGE })),
    );
    const gated = await cli(
      [
        'gate',
        '--decisions',
        'chosen.jsonl',
        '--ladder',
        `${SMALL},${LARGE}`,
        '--suite',
        'suite.yaml',
        '--data',
        'cases.jsonl',
      ],
      { cwd },
    );
    expect(gated.code, gated.stderr).toBe(0);
    expect(gated.stdout).toMatch(/^PASS {2}chosen\.jsonl, decisions made elsewhere/m);
  });

  it('refuses what cannot be tested or decided, in a sentence', async () => {
    const none = await cli(['rules', 'test', 'cases.jsonl'], { cwd: place('artifact: models/starter\n') });
    expectRefusal(none, /There is no/); // the artifact is not in that folder
    const raising = place(CONFIG.replace('use: cheap', 'at_least: strong'));
    const open = await cli(['rules', 'decide', 'cases.jsonl', '--out', 'chosen.jsonl'], { cwd: raising });
    expectRefusal(open, /The rule "everyday" decides nothing by itself\. Rules that stand alone say `use`/);
    const shadowed = place(
      CONFIG.replace("matches: '(?i)\\bregular expression of nobody\\b'", 'task: everyday'),
    );
    const never = await cli(['rules', 'test', 'cases.jsonl'], { cwd: shadowed });
    expectRefusal(never, /the rule "code" can never fire: "everyday" before it takes all its requests/);
  });
});
