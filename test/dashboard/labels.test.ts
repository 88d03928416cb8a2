import { execFileSync } from 'node:child_process';
import { createWriteStream, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { expect, test } from 'vitest';
import { openReviewDesk, readReview } from '../../evals/review/index.ts';
import { keepGrades } from '../../router/records/index.ts';
import { jsonLines } from '../labelling/labelling-world.ts';
import {
  type DashboardServer,
  dashboardServer,
  formToken,
  scratch,
  sendForm,
  signedIn,
  visit,
} from './dashboard-client.ts';
import { judgedCases, labelServer } from './label-world.ts';

const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function layPipe(file: string): void {
  rmSync(file, { force: true });
  execFileSync('mkfifo', [file]);
}

/** Somebody with a browser without scripts. */
async function person(server: Pick<DashboardServer, 'url' | 'keys'>, role: 'view' | 'operate' | 'admin') {
  const headers = await signedIn(server.url, server.keys[role].key);
  const form = await formToken(server.url, headers);
  const read = async (place: string) => {
    const response = await visit(`${server.url}${place}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const send = async (place: string, fields: Record<string, string> = {}) => {
    const response = await sendForm(server.url, `/dashboard/${place}`, { form, ...fields }, headers);
    return { status: response.status, at: response.headers.get('location') ?? '' };
  };
  /** Grades the case that is shown. @param isBad whether the small model's reply is not good enough, by the number of the case */
  const gradeNext = async (isBad: (i: number) => boolean) => {
    const { text } = await read('/dashboard/labels/review');
    const screen = /name="screen" value="([0-9a-f]{16})"/.exec(text)?.[1];
    if (screen === undefined) return undefined;
    const i = Number(/Question&lt;\/b&gt; (\d+)\?/.exec(text)?.[1]);
    const tinyFirst = text.indexOf('It is &lt;i&gt;') < text.indexOf('I think that it is');
    const [tiny, huge] = [isBad(i) ? 'bad' : 'good', 'good'];
    const grades = { 'grade-0': tinyFirst ? tiny : huge, 'grade-1': tinyFirst ? huge : tiny };
    return { screen, i, ...(await send('grade-case', { screen, revision: '0', ...grades })) };
  };
  return { headers, form, read, send, gradeNext, name: `key ${server.keys[role].stored.id}` };
}

test('two people grade blind; the page shows how far they and the judge agree, strongest contradictions first; one is settled', async () => {
  const server = await labelServer();
  const [ann, bob] = [await person(server, 'operate'), await person(server, 'admin')];
  const empty = await ann.read('/dashboard/labels');
  expect(empty.text).toContain('0 of 6\u00a0cases graded by somebody');
  expect(empty.text).toContain('a judge');
  expect(empty.text).toContain('$0.0060 <small>for 6 of 12');
  expect((await ann.read('/dashboard/labels/review')).text).toContain(`under the name <strong>${ann.name}`);
  for (const one of [ann, bob]) expect((await one.send('begin-review')).at).toBe('/dashboard/labels/review');

  const shown = await ann.read('/dashboard/labels/review');
  expect(shown.text).toContain('&lt;b&gt;Question&lt;/b&gt;');
  expect(shown.text).not.toContain('<b>Question');
  expect(shown.text).not.toMatch(/tiny-model|huge-model|judge/);
  // As the judge, but for case 0, which ann likes; bob finds the small model bad on case 1 too.
  while (await ann.gradeNext((i) => i % 2 === 0 && i !== 0));
  expect((await ann.read('/dashboard/labels/review/end')).text).toContain('All done');
  const hidden = await bob.read('/dashboard/labels');
  expect(hidden.text).toContain('Shown once your queue is done');
  expect(hidden.text).not.toContain('Krippendorff');
  while (await bob.gradeNext((i) => i % 2 === 0 || i === 1));

  const { text } = await bob.read('/dashboard/labels');
  expect(text).toContain('6 of 6\u00a0cases graded by somebody');
  // 12 replies, 10 alike. ann: 2 bad; bob: 4 bad. (10/12 - (2 4 + 10 8) / 144) / (1 - 88 / 144) = .5714
  expect(text).toContain(`${ann.name} and ${bob.name}</th><td>6</td><td>12</td><td>4 of 6 (`);
  expect(text).toContain('<td>0.57</td>');
  // The mean is .5 on 0 and 1: on 0 people and judge find the strong reply better, on 1 people alone do.
  expect(text).toMatch(/a judge<\/th><td>tiny-model<\/td><td>6<\/td><td>5 of 6 \(/);
  const listed = [
    ...text.matchAll(/labels\/case\/(\d+)">Case \d+<\/a><\/th><td>([\d.–]+)<\/td><td>([\d.–]+)</g),
  ];
  expect(listed.map(([, , apart]) => apart)).toEqual(['1.00', '1.00']);
  expect(listed.map(([, , , judge]) => judge).toSorted()).toEqual(['0.50', '–']);

  const number = listed[0]![1]!;
  const at = `/dashboard/labels/case/${number}`;
  expect((await bob.read(at)).text).not.toContain('Question');
  expect((await bob.send('settle-case', { case: number, 'grade-0': 'good', 'grade-1': 'good' })).at).toBe(at);
  expect((await bob.read(at)).text).toContain('look at what was said first');
  expect((await bob.send('reveal-case', { case: number })).at).toBe(at);
  const seen = await bob.read(at);
  expect(seen.text).toContain(`<b>${ann.name}</b>`);
  expect(seen.text).toMatch(/a judge: Reply [AB] (?:and|, then)|a judge: Reply [AB], then Reply [AB]/);
  expect(seen.text).not.toMatch(/tiny-model|huge-model/);
  const settle = {
    case: number,
    revision: '0',
    'grade-0': 'good',
    'grade-1': 'good',
    note: 'both <b>do</b>',
  };
  expect((await bob.send('settle-case', settle)).at).toBe('/dashboard/labels');
  expect((await bob.read('/dashboard/labels')).text).toContain(`Case ${number} is settled.`);

  const { out, cases } = server.options;
  const read = await readReview({
    cases,
    key: `${out}.key.json`,
    reviews: [out],
    out: server.at('new.jsonl'),
  });
  expect(read).toMatchObject({ reviewers: 2, reviewed: 12, settled: 1 });
  expect(
    lines(out)
      .filter(({ kind }) => kind === 'grade')
      .map(({ reviewer }) => reviewer),
  ).toEqual([...Array(6).fill(ann.name), ...Array(6).fill(bob.name)]);
  const logged = server.log.map((line) => JSON.parse(line)).filter(({ change }) => change === 'grade-case');
  expect(logged).toHaveLength(12);
  for (const line of server.log) expect(line).not.toMatch(/Question|It is/);
});

test('who may only look sees counts, and neither words nor cases; nor do they grade', async () => {
  const server = await labelServer();
  const viewer = await person(server, 'view');
  const { text, status } = await viewer.read('/dashboard/labels');
  expect(status).toBe(200);
  expect(text).toContain('Where the labels come from');
  expect(text).not.toMatch(/Question|It is|Grade replies/);
  for (const place of ['review', 'review/end', 'case/1'])
    expect((await viewer.read(`/dashboard/labels/${place}`)).status).toBe(403);
  for (const change of ['begin-review', 'grade-case', 'reveal-case', 'settle-case', 'take-over-cases'])
    expect((await viewer.send(change, { case: '1' })).status).toBe(403);
  const operator = await person(server, 'operate');
  for (const place of ['nothing', 'case', 'case/0', 'case/7', 'case/x', 'case/1/2'])
    expect([place, (await operator.read(`/dashboard/labels/${place}`)).status]).toEqual([place, 404]);
});

test.each(['0', '7', '99', '__proto__', ''])(
  'there is no case "%s" to look at or to settle',
  async (number) => {
    const server = await labelServer();
    const ann = await person(server, 'operate');
    for (const change of ['reveal-case', 'settle-case']) {
      expect((await ann.send(change, { case: number })).at).toBe('/dashboard/labels');
      const shown = await ann.read('/dashboard/labels');
      expect(shown.status).toBe(200);
      expect(shown.text).toContain('Nothing was saved: there is no such case.');
    }
  },
);

test.each([
  [
    'a pipe in the place of the cases',
    'cases.jsonl',
    layPipe,
    'cases\\.jsonl is no file\\. Name files of labelled cases',
  ],
  [
    'a pipe in the place of the key',
    'grades.jsonl.key.json',
    layPipe,
    'key\\.json is no file\\. Name the \\.json file',
  ],
  [
    'a pipe in the place of the grades',
    'grades.jsonl',
    layPipe,
    'grades\\.jsonl is no file, and cannot hold the grades',
  ],
  [
    'cases beyond what a server reads',
    'cases.jsonl',
    (file: string) => truncateSync(file, 2 ** 28 + 1),
    'cases\\.jsonl has 268,435,457 bytes, and at most 268,435,456 are read\\.',
  ],
])('%s: the page says so, and nobody waits', async (_, name, lay, words) => {
  const server = await labelServer();
  lay(server.at(name));
  const ann = await person(server, 'operate');
  for (const place of ['', '/review', '/case/1']) {
    const shown = await ann.read(`/dashboard/labels${place}`);
    expect(shown.status).toBe(200);
    expect(shown.text).toMatch(new RegExp(words));
  }
});

test('a small file that holds more than a server reads is refused before its rows are held', async () => {
  const folder = scratch();
  const cases = path.join(folder, 'cases.jsonl.gz');
  const spaces = Readable.from(Array.from({ length: 257 }, () => Buffer.alloc(2 ** 20, ' ')));
  await pipeline(spaces, createGzip({ level: 1 }), createWriteStream(cases));
  const server = await labelServer(judgedCases(2), { cases: [cases] });
  const { text } = await (await person(server, 'operate')).read('/dashboard/labels/review');
  expect(text).toMatch(
    /cases\.jsonl\.gz has more than 268,435,456 bytes once it is decompressed, .* Name files of labelled cases/,
  );
});

test('what the labels cost is that of the journals beside the cases, the judge apart', async () => {
  const server = await labelServer();
  const reply = (key: string, model: string, usd: number, more: object = {}) => {
    const place = { kind: 'reply', key, case: 'q1', model, text: 'Paris', ...more };
    return { ...place, charged_usd: usd, latency_ms: 1 };
  };
  const asked = { kind: 'asked', key: 'three', reserved_usd: 0.75 };
  const replies = [
    reply('one', 'fake/tiny', 0.25),
    reply('two', 'fake/judge<b>', 0.5, { judge: true }),
    reply('four', 'fake/judge<b>', 1, { judge: true }),
  ];
  const journal = `${server.at('cases.jsonl')}.journal`;
  const viewer = await person(server, 'view');
  expect((await viewer.read('/dashboard/labels')).text).toContain('there is no journal of');
  writeFileSync(journal, jsonLines([{ kind: 'journal', version: 1 }, ...replies, asked]));
  await server.close();
  const again = await person(await server.start(), 'view');
  const { text } = await again.read('/dashboard/labels');
  expect(text).toContain('The judge</th><td>fake/judge&lt;b&gt;</td><td>2</td><td>$1.50</td>');
  expect(text).toContain('Replies to grade</th><td>fake/tiny</td><td>1</td><td>$0.25</td>');
  expect(text).toMatch(/\$1\.75 in all, by 1\u00a0journal .* Further \$0\.75 at most/);
  expect(text).not.toContain('Paris');
});

test('a journal that cannot be read is named, and the review goes on', async () => {
  const server = await labelServer();
  writeFileSync(`${server.at('cases.jsonl')}.journal`, 'nothing\nof a journal\n');
  const { text } = await (await person(server, 'operate')).read('/dashboard/labels');
  expect(text).toMatch(/cases\.jsonl\.journal, line 1: this is no line of a journal/);
  expect(text).toContain('Grade replies');
});

test('skip, undo, a form that lacks a grade, a stale form and a screen of nobody', async () => {
  const server = await labelServer();
  const ann = await person(server, 'operate');
  await ann.send('begin-review');
  const first = /name="screen" value="([0-9a-f]{16})"/.exec(
    (await ann.read('/dashboard/labels/review')).text,
  )![1]!;
  const own = `/dashboard/labels/review/${first}`;
  const lacking = { screen: first, revision: '0', 'grade-0': 'bad', note: 'a <note>' };
  expect((await ann.send('grade-case', lacking)).at).toBe(own);
  const again = (await ann.read(own)).text;
  expect(again).toContain('Grade each reply, or skip the case. Nothing was saved yet.');
  expect(again).toContain('a &lt;note&gt;</textarea>');
  expect(again).toMatch(/name="grade-0" value="bad" checked/);
  expect((await ann.read(own)).text).not.toMatch(/checked data-key="\d"/);

  const skipped = await ann.send('skip-case', { screen: first, revision: '0' });
  expect(skipped.at).toMatch(/^\/dashboard\/labels\/review\/[0-9a-f]{16}$/);
  expect(skipped.at).not.toBe(own);
  const graded = (await ann.gradeNext(() => false))!;
  const stale = { screen: graded.screen, revision: '0', 'grade-0': 'bad', 'grade-1': 'bad' };
  expect((await ann.send('grade-case', stale)).at).toBe(`/dashboard/labels/review/${graded.screen}`);
  expect((await ann.read(`/dashboard/labels/review/${graded.screen}`)).text).toContain(
    'answered in another tab',
  );
  const line = String(lines(server.options.out).length);
  expect((await ann.send('undo-grade', { line })).at).toBe(`/dashboard/labels/review/${graded.screen}`);
  expect((await ann.read('/dashboard/labels/review')).text).toContain('Your last answer was taken back.');
  await ann.send('undo-grade', { line });
  expect((await ann.read('/dashboard/labels/review')).text).toContain('Nothing was taken back');
  for (const screen of ['0'.repeat(16), '', '../../keys']) {
    await ann.send('grade-case', { screen, revision: '0', 'grade-0': 'good', 'grade-1': 'good' });
    expect((await ann.read('/dashboard/labels/review')).text).toContain('not in your queue');
  }
  expect(lines(server.options.out).map(({ kind }) => kind)).toEqual(['review', 'skip', 'grade', 'undo']);
});

test('who has seen what others said of a case grades it no more, and is shown the others', async () => {
  const server = await labelServer();
  const ann = await person(server, 'operate');
  await ann.send('begin-review');
  const { text } = await ann.read('/dashboard/labels/review');
  const screen = /name="screen" value="([0-9a-f]{16})"/.exec(text)![1]!;
  const i = Number(/Question&lt;\/b&gt; (\d+)\?/.exec(text)![1]);
  const key = JSON.parse(readFileSync(`${server.options.out}.key.json`, 'utf8')) as {
    items: { case: string }[];
  };
  const drawn = [...new Set(key.items.map((one) => one.case))];
  await ann.send('reveal-case', { case: String(drawn.indexOf(`q${i}`) + 1) });
  await ann.send('grade-case', { screen, revision: '0', 'grade-0': 'good', 'grade-1': 'good' });
  const next = (await ann.read('/dashboard/labels/review')).text;
  expect(next).toContain('you have seen what others said');
  expect(next).toContain('0 of 5');
  let graded = 0;
  while (await ann.gradeNext(() => false)) graded++;
  expect(graded).toBe(5);
});

test('cases are dealt among who has begun; who is done takes over the rest; a restart loses nothing', async () => {
  const server = await labelServer(judgedCases(8), { overlap: 0 });
  const [ann, bob] = [await person(server, 'operate'), await person(server, 'admin')];
  await ann.send('begin-review');
  expect((await ann.read('/dashboard/labels/review')).text).toContain('0 of 8');
  const open = /name="screen" value="([0-9a-f]{16})"/.exec(
    (await ann.read('/dashboard/labels/review')).text,
  )![1]!;
  await bob.send('begin-review');
  expect((await ann.read('/dashboard/labels/review')).text).toContain('0 of 4');
  // A case that was open when it was dealt to somebody else is taken all the same.
  await ann.send('grade-case', { screen: open, revision: '0', 'grade-0': 'good', 'grade-1': 'good' });
  expect(lines(server.options.out).at(-1)).toMatchObject({ kind: 'grade', screen: open, reviewer: ann.name });
  while (await ann.gradeNext(() => false));
  expect((await ann.read('/dashboard/labels/review/end')).text).toContain('in the queues of others');
  await ann.send('take-over-cases');
  expect((await ann.read('/dashboard/labels/review')).text).toMatch(/[34]\scases? more in your queue/);
  while (await ann.gradeNext(() => false));
  const before = lines(server.options.out).filter(({ kind }) => kind === 'grade');
  expect(new Set(before.map((one) => one.case)).size).toBe(8);
  await server.close();
  const again = await server.start();
  const later = await person(again, 'operate');
  expect((await later.read('/dashboard/labels')).text).toContain('8 of 8\u00a0cases graded by somebody');
});

test('what is missing is said: no cases, none with replies, a file that is not there, another process that has it open', async () => {
  const bare = await dashboardServer({ state: { kind: 'memory' } });
  expect((await (await person(bare, 'view')).read('/dashboard/labels')).text).toContain(
    'There are no cases to grade',
  );
  const queue = await (await person(bare, 'operate')).read('/dashboard/labels/review');
  expect(queue.status).toBe(200);
  expect(queue.text).toMatch(/There is nothing to grade.*There are no cases to grade/s);

  const wordless = judgedCases(3).map((row) =>
    JSON.parse(JSON.stringify(row, (key, value) => (key === 'answer' ? undefined : value))),
  );
  const server = await labelServer(wordless);
  const ann = await person(server, 'operate');
  expect((await ann.read('/dashboard/labels')).text).toContain(
    'reviewers need outcomes.&lt;model&gt;.answer',
  );
  await ann.send('begin-review');
  expect((await ann.read('/dashboard/labels')).text).toContain('Nothing was saved: No case has the replies');

  const missing = await labelServer(judgedCases(2), { cases: ['/nowhere/cases.jsonl'] });
  expect((await (await person(missing, 'view')).read('/dashboard/labels')).text).toMatch(
    /cannot be opened\. .*\/nowhere\/cases\.jsonl/,
  );

  const taken = await labelServer();
  const desk = await openReviewDesk({ n: 400, scores: false, ...taken.options });
  const viewer = await person(taken, 'view');
  expect((await viewer.read('/dashboard/labels')).text).toContain('cannot be opened');
  desk.close();
  expect((await viewer.read('/dashboard/labels')).text).toContain('Where the labels come from');
});

test('labels that the server keeps itself are counted', async () => {
  const server = await labelServer();
  const reply = { model: 'first/small', quality: 1, text: 'Paris' };
  const request = { messages: [{ role: 'user' as const, content: 'The capital of France?' }] };
  await keepGrades(
    server.gateway.state!.log,
    {
      id: 'play_1',
      timeMs: Date.now(),
      grader: 'a link',
      request,
      replies: [reply, { ...reply, quality: 0 }],
    },
    undefined,
  );
  const { text } = await (await person(server, 'view')).read('/dashboard/labels');
  expect(text).toContain('Grades of the playground</th><td>1</td><td>2\u00a0replies</td>');
  expect(text).not.toMatch(/Paris|capital/);
});
