import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import libsql from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type GraderRules, openGraders, readGraders } from '../../evals/labelling/index.ts';
import { folderForTest } from './labelling-world.ts';

type Rule = GraderRules['graders'][number];
type Spec = Rule['use'][number];

const sample = (reply: string, reference?: unknown) => ({
  caseId: 'a',
  task: undefined,
  prompt: 'What is it?',
  candidate: 'cheap',
  model: 'fake/small',
  reply,
  reference,
  strongReply: undefined,
  isStrongest: false,
});

async function gradeBy(rule: Rule, reply: string, reference?: unknown) {
  const grade = await openGraders({ graders: [rule] }, { allowCode: true })
    .forTask(undefined)
    ?.grade(sample(reply, reference), { ask: async () => ({ why: 'there is no judge' }) });
  return grade?.kind === 'graded' ? grade.quality : grade?.why;
}

const grade = (spec: Spec, reply: string, reference?: unknown) => gradeBy({ use: [spec] }, reply, reference);

describe('graders of text', () => {
  test.each([
    [{ type: 'exact' }, ' B \n', 'B', 1],
    [{ type: 'exact' }, 'b', 'B', 0],
    [{ type: 'exact', ignore: ['case', 'punctuation', 'articles', 'accents'] }, 'The Café.', 'cafe', 0],
    [
      { type: 'exact', ignore: ['case', 'punctuation', 'articles', 'accents', 'white-space'] },
      'The Café.',
      'cafe',
      1,
    ],
    [{ type: 'exact' }, 'e\u0301', '\u00e9', 1],
    [{ type: 'exact' }, 'two', ['2', 'two'], 1],
    [{ type: 'exact' }, '4', 4, 1],
    [{ type: 'exact', take: 'last-line' }, 'Because.\nB\n\n', 'B', 1],
    [
      { type: 'exact', take: { pattern: 'answer is \\(?([A-D])' } },
      'Not: the answer is A. The answer is (C)',
      'C',
      1,
    ],
    [{ type: 'exact', take: { pattern: 'answer is ([A-D])' } }, 'I do not know', 'C', 0],
    [{ type: 'contains', ignore: ['case'] }, 'It is PARIS, of course', ['Paris', 'Lutetia'], 1],
    [{ type: 'contains', texts: ['a', 'z'] }, 'abc', undefined, 0],
    [{ type: 'contains', texts: ['a', 'z'], mode: 'any' }, 'abc', undefined, 1],
    [{ type: 'regex', pattern: '^\\d{4}-\\d\\d$' }, '2026-11', undefined, 1],
    [{ type: 'regex', pattern: 'sorry', ignore_case: true, absent: true }, 'Sorry!', undefined, 0],
    [{ type: 'refusal' }, "I'm sorry, but I can't help with that.", undefined, 0],
    [{ type: 'refusal', expected: true }, "I'm sorry, but I can't help with that.", undefined, 1],
    [{ type: 'refusal' }, 'Certainly: 4.', undefined, 1],
  ] as [Spec, string, unknown, number][])(
    '%j on %j, reference %j: %f',
    async (spec, reply, reference, quality) => {
      expect(await grade(spec, reply, reference)).toBe(quality);
    },
  );

  test('a pattern that takes a backtracking engine for ever takes none here', async () => {
    const started = process.cpuUsage().user;
    expect(await grade({ type: 'regex', pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`)).toBe(0);
    expect(process.cpuUsage(undefined).user - started).toBeLessThan(5e6);
  });
});

test.each([
  [{}, 'So 3 + 4 = 7.', 7, 1],
  [{}, '7 or 8', 7, 0],
  [{ take: 'first' }, '7 or 8', 7, 1],
  [{ take: 'only' }, '7 or 8', 8, 0],
  [{}, 'It costs $1,234.50.', 1234.5, 1],
  [{}, '#### 20', '$20.00', 1],
  [{}, 'x = -5', '-5', 1],
  [{}, '5-3', 3, 1],
  [{}, '1.5e3', 1500, 1],
  [{}, '.5', 0.5, 1],
  [{}, 'none', 0, 0],
  [{ tolerance: 0.1 }, '0.3', 0.2, 1],
  [{ tolerance: 0.01 }, '0.3', 0.2, 0],
  [{ relative: 0.05 }, '103', 100, 1],
  [{ units: { km: 1000, m: 1 } }, 'about 1.2 km', '1200 m', 1],
  [{ units: { km: 1000, m: 1 } }, '1.2 m', '1200 m', 0],
  [{ decimal_comma: true }, '1.234,5 €', '1234,5', 1],
  [{}, 'GPT4 says v2', 4, 0],
] as [object, string, unknown, number][])(
  'number %j on %j, reference %j: %f',
  async (options, reply, reference, quality) => {
    expect(await grade({ type: 'number', ...options } as Spec, reply, reference)).toBe(quality);
  },
);

describe('graders of JSON', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'integer', minimum: 1 } },
    additionalProperties: false,
  };
  test.each([
    ['{"a": 1}', 1],
    ['Here:\n```json\n{"a": 2}\n```\nDone.', 1],
    ['{"a": 0}', 0],
    ['{"a": 1, "b": 1}', 0],
    ['no JSON', 0],
  ])('json-schema on %j: %f', async (reply, quality) => {
    expect(await grade({ type: 'json-schema', schema }, reply)).toBe(quality);
  });

  const reference = { name: 'Ada', born: { year: 1815, place: 'London' }, tags: ['x', 'y'] };
  test.each([
    [{}, '{"name":"Ada","born":{"year":"1815","place":"London"},"tags":["x","y"],"more":1}', 1],
    [{}, '{"name":"Ada","born":{"year":1816,"place":"Paris"},"tags":["x","y"]}', 0.5],
    [{ tolerance: 1 }, '{"name":"Ada","born":{"year":1816,"place":"Paris"},"tags":["x","y"]}', 0.75],
    [{ fields: ['born.year'] }, '{"born":{"year":1815}}', 1],
    [{ ignore: ['case'] }, '{"name":"ADA","born":{"year":1815,"place":"london"},"tags":["y","x"]}', 0.75],
    [{}, '[]', 0],
    [{}, 'nothing', 0],
  ])('json-fields %j on %j: %f', async (options, reply, quality) => {
    expect(await grade({ type: 'json-fields', ...options } as Spec, reply, reference)).toBe(quality);
  });
});

describe('graders that run programs', () => {
  const node = process.execPath;

  test('code: the first block of code passes the tests, or not', async () => {
    const spec: Spec = {
      type: 'code',
      command: [node, 'tests.mjs'],
      file: 'solution.mjs',
      tests_file: 'tests.mjs',
    };
    const tests = "import { add } from './solution.mjs';\nif (add(2, 2) !== 4) process.exit(1);\n";
    expect(await grade(spec, 'Sure:\n```js\nexport const add = (a, b) => a + b;\n```\n', tests)).toBe(1);
    expect(await grade(spec, '```js\nexport const add = (a, b) => a - b;\n```', tests)).toBe(0);
    expect(await grade({ ...spec, timeout_ms: 300 }, '```js\nwhile (true) {}\n```', tests)).toBe(0);
    expect(await grade({ ...spec, command: ['/no/such/program'] }, 'x', tests)).toMatch(/cannot be started/);
  });

  test('code: what it started ends with it, and it sees no key of ours', async () => {
    const folder = folderForTest();
    const mark = path.join(folder, 'mark');
    process.env['PLIMSOLL_TEST_SECRET'] = 'secret';
    onTestFinished(() => {
      delete process.env['PLIMSOLL_TEST_SECRET'];
    });
    const later = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(mark)}, ''), 800)`;
    const code = `import { spawn } from 'node:child_process';
spawn(process.execPath, ['-e', ${JSON.stringify(later)}], { stdio: 'ignore' }).unref();
if (process.env.PLIMSOLL_TEST_SECRET !== undefined) process.exit(3);`;
    const spec: Spec = { type: 'code', command: [node, 'solution.mjs'], file: 'solution.mjs' };
    expect(await grade(spec, code)).toBe(1);
    await sleep(1_200);
    expect(existsSync(mark)).toBe(false);
  });

  test('code is run only if the operator says so', () => {
    const rules: GraderRules = { graders: [{ use: [{ type: 'code', command: ['true'] }] }] };
    expect(() => openGraders(rules)).toThrow(/--run-code/);
  });

  test.each([
    ['process.stdout.write("0.25")', 0.25],
    ['process.exit(1)', 0],
    ['', 1],
    [
      'process.stdin.on("data", (text) => process.stdout.write(String(Number(JSON.parse(text).reply === "yes"))))',
      1,
    ],
    ['process.stdout.write("good")', 'the command printed no number from 0 to 1'],
    ['process.exit(7)', 'the command ended with code 7'],
    ['setTimeout(() => {}, 60000)', 'the command took longer than timeout_ms'],
  ])('command %j: %s', async (program, quality) => {
    expect(await grade({ type: 'command', command: [node, '-e', program], timeout_ms: 1_000 }, 'yes')).toBe(
      quality,
    );
  });

  test('http: the quality of a service; what is none stays without a label', async () => {
    const answers = ['{"quality": 0.5}', '{"quality": null}', '{"quality": 3}', 'oops'];
    const server = createServer((_, response) => response.end(answers.shift()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await grade({ type: 'http', url }, 'a')).toBe(0.5);
    for (let i = 0; i < 3; i++) expect(await grade({ type: 'http', url }, 'a')).toMatch(/no quality/);
    server.closeAllConnections();
    server.close();
    expect(await grade({ type: 'http', url }, 'a')).toMatch(/cannot be reached/);
  });

  test('sql: the rows of the reference, whatever the query; nothing is written', async () => {
    const database = path.join(folderForTest(), 'shop.db');
    const open = new libsql(database);
    open.exec("create table sold (item text, n int); insert into sold values ('a', 1), ('b', 2), ('a', 3);");
    open.close();
    const spec: Spec = { type: 'sql', database };
    const reference = 'select item, sum(n) from sold group by item order by item';
    expect(
      await grade(spec, '```sql\nSELECT item, SUM(n) FROM sold GROUP BY 1 ORDER BY 1 DESC;\n```', reference),
    ).toBe(1);
    expect(
      await grade(
        { ...spec, ordered: true },
        'select item, sum(n) from sold group by 1 order by 1 desc',
        reference,
      ),
    ).toBe(0);
    expect(await grade(spec, 'select item, n from sold', reference)).toBe(0);
    expect(await grade(spec, 'drop table sold', reference)).toBe(0);
    expect(await grade(spec, 'selec nothing', reference)).toBe(0);
    const endless = 'with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r';
    expect(await grade({ ...spec, timeout_ms: 800 }, endless, reference)).toBe(0);
    expect(await grade(spec, 'select 1', 'select broken')).toMatch(/reference's query fails/);
    expect(await grade(spec, reference, reference)).toBe(1);
  });
});

test('similarity: near the reference by the words', async () => {
  const near = await grade(
    { type: 'similarity' },
    'The capital of France is Paris.',
    'Paris is the capital of France.',
  );
  const far = await grade(
    { type: 'similarity' },
    'Bake it for twenty minutes.',
    'Paris is the capital of France.',
  );
  expect(near).toBeGreaterThan(0.8);
  expect(far).toBeLessThan(0.2);
});

test.each([
  ['mean', 0.75],
  ['all', 0],
  ['any', 1],
] as const)('combine: %s is %f', async (combine, quality) => {
  const use: Rule['use'] = [
    { type: 'contains', texts: ['a'], weight: 3 },
    { type: 'contains', texts: ['z'] },
  ];
  expect(await gradeBy({ combine, use }, 'abc')).toBe(quality);
});

test('a grader that cannot say leaves the mean without a label, and any with one that is right', async () => {
  const broken: Spec = { type: 'command', command: ['/no/such/program'] };
  const right: Spec = { type: 'contains', texts: ['a'] };
  expect(await gradeBy({ use: [broken, right] }, 'a')).toMatch(/cannot be started/);
  expect(await gradeBy({ combine: 'any', use: [broken, right] }, 'a')).toBe(1);
});

test.each([
  ['graders: [{ use: [{ type: exakt }] }]', /line 1, field "graders\.0\.use\.0\.type"/],
  [
    'graders:\n  - use:\n      - { type: number, tolerence: 1 }',
    /line 3, field "graders\.0\.use\.0\.tolerence".*tolerance/,
  ],
  ['graders:\n  - use:\n      - type: regex\n        pattern: (?=x)', /line 4, .*RE2/],
  ['graders: [{ use: [{ type: json-schema, schema: { type: 7 } }] }]', /JSON Schema/],
  ['graders: [{ use: [] }]', /use/],
  ['graders: [{ use: [{ type: similarity, low: 0.9, high: 0.5 }] }]', /below high/],
  ['graders: {', /line 1/],
  [
    'graders:\n  - use: [{ type: exact }]\n  - when: sql\n    use: [{ type: exact }]',
    /line 3, field "graders\.1": never grades anything: graders\.0 has no "when"/,
  ],
  [
    'graders:\n  - when: [sql, code]\n    use: [{ type: exact }]\n  - when: code\n    use: [{ type: number }]',
    /line 4, field "graders\.1": never grades anything: graders\.0 comes first for "code"/,
  ],
  [
    'graders:\n  - use:\n      - { type: sql, database: no/such.db }',
    /line 3, field "graders\.0\.use\.0\.database": there is no file no\/such\.db/,
  ],
])('a file with %j is refused, with its place', (text, message) => {
  const file = path.join(folderForTest(), 'graders.yaml');
  writeFileSync(file, text);
  expect(() => readGraders(file)).toThrow(message);
});

test('a process that leaves its group and keeps the output open does not outlast timeout_ms', async () => {
  const program =
    'require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 9000)"], { detached: true, stdio: "inherit" }).unref()';
  const startedMs = performance.now();
  const spec: Spec = { type: 'command', command: [process.execPath, '-e', program], timeout_ms: 1_500 };
  expect(await grade(spec, 'x')).toMatch(/longer than timeout_ms/);
  expect(performance.now() - startedMs).toBeLessThan(8_000); // not the nine seconds of the process that left
});

test('contains: a text of which ignore leaves nothing is in every reply, so it grades none', async () => {
  const spec: Spec = { type: 'contains', ignore: ['punctuation', 'white-space'] };
  expect(await grade(spec, 'Whatever.', '?!')).toMatch(/nothing is left/);
});
