import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadCases } from '../../evals/cases/index.ts';
import { readReview } from '../../evals/review/index.ts';
import { scaled } from '../helpers/long-run.ts';
import {
  GOOD_BAD,
  gradeAll,
  MODELS,
  nextScreen,
  reviewCases,
  reviewFolder,
  servedReview,
  visitor,
} from './review-world.ts';

const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a link works once, and leads to a cookie that no script and no other site can use', async () => {
  const { server } = await servedReview();
  const link = server.links.reviewers.get('ann') ?? '';
  const ann = visitor(server.url);
  expect((await ann.get('/grade')).status).toBe(401);
  const entered = await ann.get(link);
  expect(entered.status).toBe(200);
  expect(entered.headers['set-cookie']).toEqual([
    expect.stringMatching(/^plimsoll_review_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
  ]);
  expect((await ann.get('/grade')).status).toBe(303);
  expect(await ann.get(link)).toMatchObject({ status: 303 }); // a reload, by who is signed in
  const thief = visitor(server.url);
  expect((await thief.get(link)).status).toBe(403);
  expect((await thief.get('/enter/wrong')).status).toBe(403);
  expect((await thief.send('GET', '/grade', { headers: { cookie: `${ann.cookie}x` } })).status).toBe(401);
});

test('other hosts, forms of other pages, other methods and long forms are refused', async () => {
  const { server, signedIn, options } = await servedReview();
  const ann = await signedIn('ann');
  const screen = await nextScreen(ann);
  const { port } = new URL(server.url);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example']) {
    expect((await ann.send('GET', screen, { headers: { host } })).status).toBe(421);
  }
  const local = { host: `localhost:${port}` };
  expect((await ann.send('GET', screen, { headers: local })).status).toBe(200);
  for (const origin of ['https://evil.example', 'null', `http://localhost:${port}`, `http://127.0.0.1:1`]) {
    expect((await ann.send('POST', screen, { form: GOOD_BAD, headers: { origin } })).status).toBe(403);
  }
  expect((await ann.send('DELETE', screen)).status).toBe(405);
  expect((await ann.post(screen, { ...GOOD_BAD, note: 'x'.repeat(70_000) })).status).toBe(413);
  expect((await ann.post(screen, { ...GOOD_BAD, note: 'x'.repeat(5_000) })).status).toBe(400);
  expect(lines(options.out)).toHaveLength(1);
});

test('every response forbids scripts and styles of its own and all that is elsewhere', async () => {
  const { signedIn } = await servedReview();
  const ann = await signedIn('ann');
  for (const target of [
    '/',
    await nextScreen(ann),
    '/nothing',
    '/review.css',
    '/grading.css',
    '/grading.js',
    '/icon.svg',
  ]) {
    const { headers, body } = await ann.get(target);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    if (headers['content-type']?.startsWith('text/html')) {
      expect(body).not.toMatch(/<style|style="|\son\w+=|https?:\/\//);
      expect(body.match(/<script/g) ?? []).toHaveLength(body === '' ? 0 : 1);
    }
  }
});

test('no page for reviewers or the lead names a model or a label of the judge', async () => {
  const { signedIn, review } = await servedReview();
  const ann = await signedIn('ann');
  gradeAll(review, 'bob', (_, id) => (Number(id.slice(1)) % 2 ? 'good' : 'bad'));
  let pages = (await ann.get('/summary')).body;
  for (const { id } of review.queue('ann')) {
    pages += (await ann.get(`/grade/${id}`)).body;
    await ann.post(`/grade/${id}`, GOOD_BAD);
  }
  const lead = await signedIn('lead');
  pages += (await ann.get('/done')).body + (await lead.get('/summary')).body;
  for (const [at] of review.cases.entries()) pages += (await lead.get(`/summary/case/${at + 1}`)).body;
  expect(pages).toContain('Question 3?');
  expect(pages).toContain('All done');
  for (const secret of [...MODELS, '0.4567', 'judge']) expect(pages).not.toContain(secret);
});

test('a grade is on the disk when the next case is shown; a double press and a stale tab do no harm', async () => {
  const { signedIn, options, review } = await servedReview();
  const ann = await signedIn('ann');
  const first = await nextScreen(ann);
  const saved = await ann.post(first, { ...GOOD_BAD, note: 'wrong unit' });
  expect(saved.status).toBe(303);
  const [, grade] = lines(options.out);
  expect(grade).toMatchObject({ kind: 'grade', reviewer: 'ann', note: 'wrong unit', repeat: false });
  expect(grade.grades.map((one: { grade: string }) => one.grade)).toEqual(['good', 'bad']);
  expect(saved.headers.location).not.toBe(first);
  expect(await ann.post(first, { ...GOOD_BAD, note: 'wrong unit' })).toMatchObject({
    status: 303,
    headers: { location: saved.headers.location },
  });
  const stale = await ann.post(first, { 'grade-0': 'bad', 'grade-1': 'bad', revision: '0' });
  expect(stale.status).toBe(409);
  expect(stale.body).toContain('Nothing of this tab was saved');
  expect(stale.body).toMatch(/value="good" checked/);
  expect(lines(options.out)).toHaveLength(2);
  const revision = /name="revision" value="(\d+)"/.exec(stale.body)?.[1] ?? '';
  expect((await ann.post(first, { 'grade-0': 'bad', 'grade-1': 'bad', revision })).status).toBe(303);
  expect(lines(options.out)).toHaveLength(3);
  expect(review.progress('ann')).toMatchObject({ graded: 1 });
  for (const form of [{}, { 'grade-0': 'good' }, { 'grade-0': 'good', 'grade-1': 'great' }]) {
    expect((await ann.post(String(saved.headers.location), { ...form, revision: '0' })).status).toBe(400);
  }
  expect(lines(options.out)).toHaveLength(3);
});

test('undo takes one answer back, once, and in order; skipped cases come again at the end', async () => {
  const { signedIn, review } = await servedReview(reviewFolder(reviewCases(4)), { overlap: 1, repeat: 0 });
  const ann = await signedIn('ann');
  const [one, two, three, four] = review.queue('ann').map(({ id }) => `/grade/${id}`);
  await ann.post(one ?? '', GOOD_BAD);
  await ann.post(two ?? '', GOOD_BAD);
  const line = /name="line" value="(\d+)"/.exec((await ann.get(three ?? '')).body)?.[1] ?? '';
  const undone = await ann.post('/undo', { line });
  expect(undone.headers.location).toBe(`${two}?undone`);
  expect((await ann.get(String(undone.headers.location))).body).toContain('was taken back');
  expect((await ann.post('/undo', { line })).headers.location).toBe(two); // the second press
  expect(review.progress('ann')).toEqual({ graded: 1, skipped: 0, total: 4 });
  const skip = (screen: string | undefined) =>
    ann.post(String(screen).replace('grade', 'skip'), { revision: '0' });
  expect((await skip(two)).headers.location).toBe(three);
  expect((await skip(one)).status).toBe(409); // it has grades
  await ann.post(three ?? '', GOOD_BAD);
  expect((await ann.post(four ?? '', GOOD_BAD)).headers.location).toBe(two);
  expect((await skip(two)).headers.location).toBe('/done'); // not round and round
  expect((await ann.get('/done')).body).toContain('1 skipped');
  expect(await nextScreen(ann)).toBe(two);
  const revision = /name="revision" value="(\d+)"/.exec((await ann.get(two ?? '')).body)?.[1] ?? '';
  expect((await ann.post(two ?? '', { ...GOOD_BAD, revision })).headers.location).toBe('/done');
  expect((await ann.get('/done')).body).toContain('All done');
});

test('a reviewer sees only the own queue; the lead sees disagreements, settles them and makes links', async () => {
  const { signedIn, review, options, at, server } = await servedReview(reviewFolder(reviewCases(10)), {
    overlap: 1,
    repeat: 0,
  });
  const [ann, lead] = [await signedIn('ann'), await signedIn('lead')];
  const foreign = review.queue('bob')[0];
  expect((await ann.get(`/grade/${foreign?.id}`)).status).toBe(404);
  expect((await ann.post(`/grade/${foreign?.id}`, GOOD_BAD)).status).toBe(404);
  expect((await ann.get('/summary')).status).toBe(403);
  expect((await ann.get('/summary/case/1')).status).toBe(403);
  expect((await lead.get(`/grade/${foreign?.id}`)).status).toBe(403);
  gradeAll(review, 'ann', (candidate) => (candidate === 'tiny-model' ? 'bad' : 'good'));
  gradeAll(review, 'bob', (candidate, id) => (candidate === 'tiny-model' && id !== 'q3' ? 'bad' : 'good'));
  const summary = (await lead.get('/summary')).body;
  expect(summary).toMatch(/1 case on which .*; 1 open/);
  const page = /\/summary\/case\/\d+/.exec(summary)?.[0] ?? '';
  const place = review.itemsToSettle('q3').findIndex(({ candidate }) => candidate === 'tiny-model');
  const form = { revision: '0', [`grade-${place}`]: 'bad', [`grade-${1 - place}`]: 'good' };
  expect((await lead.get(page)).body).toContain('<b>bob</b>: Good enough');
  expect((await lead.post(page, form)).status).toBe(303);
  expect((await lead.get('/summary')).body).toMatch(/1 case on which .*; 0 open/);
  expect((await lead.post(page, { ...form, [`grade-${place}`]: 'good' })).status).toBe(409);
  const made = await lead.post('/summary/link', { reviewer: 'bob' });
  const link = /http:\/\/127\.0\.0\.1:\d+\/enter\/[\w-]+/.exec(made.body)?.[0] ?? '';
  const bob = visitor(server.url);
  await bob.get(link);
  expect((await bob.get(`/grade/${foreign?.id}`)).status).toBe(200);

  const read = await readReview({
    ...options,
    key: `${options.out}.key.json`,
    reviews: [options.out],
    out: at('reviewed.jsonl'),
  });
  expect(read).toMatchObject({ reviewers: 2, reviewed: 20, items: 20, settled: 1 });
  const { cases } = await loadCases([at('reviewed.jsonl')]);
  for (const { outcomes } of cases) {
    expect(outcomes.get('tiny-model')).toMatchObject({ quality: 0, labelSource: 'human' });
    expect(outcomes.get('huge-model')).toMatchObject({ quality: 1, labelSource: 'human' });
  }
  expect(read.bounds[0]).toMatchObject({ candidate: 'tiny-model', judged: 10, audited: 10 });
});

test('scores are the quality; what cannot be told makes no label', async () => {
  const { signedIn, review, options, at } = await servedReview(reviewFolder(reviewCases(2)), {
    withScores: true,
    reviewers: ['ann'],
    repeat: 0,
  });
  const ann = await signedIn('ann');
  const [one, two] = review.queue('ann');
  expect((await ann.post(`/grade/${one?.id}`, { ...GOOD_BAD, 'score-0': '11' })).status).toBe(400);
  await ann.post(`/grade/${one?.id}`, { ...GOOD_BAD, 'score-0': '9', 'score-1': '' });
  await ann.post(`/grade/${two?.id}`, { ...GOOD_BAD, 'grade-1': 'unclear' });
  const read = () =>
    readReview({ ...options, key: `${options.out}.key.json`, reviews: [options.out], out: at('r.jsonl') });
  expect(await read()).toMatchObject({ reviewed: 3, undecided: 1 });
  const { cases } = await loadCases([at('r.jsonl')]);
  const quality = (screen: typeof one, place: number) =>
    cases.find(({ id }) => id === screen?.case)?.outcomes.get(screen?.items[place]?.candidate ?? '');
  expect(quality(one, 0)).toMatchObject({ quality: 0.9, labelSource: 'human' });
  expect(quality(one, 1)).toMatchObject({ quality: 0, labelSource: 'human' });
  expect(quality(two, 0)).toMatchObject({ quality: 1, labelSource: 'human' });
  expect(quality(two, 1)).toMatchObject({ quality: 0.4567, labelSource: 'judge' });
  const lead = await signedIn('lead');
  const page = `/summary/case/${review.cases.indexOf(two?.case ?? '') + 1}`;
  expect((await lead.get('/summary')).body).toContain(page);
  expect((await lead.post(page, GOOD_BAD)).status).toBe(303);
  expect(await read()).toMatchObject({ undecided: 0, settled: 1 });
});

test('prompts, replies, references and notes are text, never markup', async () => {
  const hostile = fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '\n', 'script', 'x', '{', '\u202e', '\ud800', '~'),
  });
  const world = reviewFolder(reviewCases(1));
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, async (prompt, reply, note) => {
      const attack = `<img src=x onerror=alert(1)>${reply}`;
      const row = {
        id: 'q0',
        messages: [
          { role: '<script>', content: `<b>${prompt}` },
          { role: 'user', content: attack, '"><i>': 1 },
        ],
        reference: attack,
        outcomes: {
          'tiny-model': { quality: 1, answer: attack },
          'huge-model': { quality: 1, answer: reply },
        },
      };
      writeFileSync(world.at('cases.jsonl'), JSON.stringify(row));
      const { signedIn, stop, review } = await servedReview(world, { n: 1, reviewers: ['ann'] });
      const ann = await signedIn('ann');
      const { id } = review.queue('ann')[0] ?? { id: '' };
      const revision = String(review.entryOn('ann', review.queue('ann')[0]!)?.line ?? 0);
      await ann.post(`/grade/${id}`, { ...GOOD_BAD, note: `</textarea><svg/onload=x>${note}`, revision });
      const { body } = await ann.get(`/grade/${id}`);
      await stop();
      expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;');
      expect(body).not.toMatch(/<(?:img src=x|b>|i>|svg)|<script>/);
      expect(body.match(/<\/textarea>/g)).toHaveLength(1);
      expect(body).not.toContain('\u202e');
    }),
    { numRuns: scaled(15) },
  );
});
