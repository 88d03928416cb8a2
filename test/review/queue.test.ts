import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openReview } from '../../evals/review/index.ts';
import { gradePage } from '../../scripts/review-page/grade-page.ts';
import { gradeAll, reviewCases, reviewFolder } from './review-world.ts';

test('the overlap goes to all reviewers, each other case to one, about as many to each', async () => {
  const { open } = reviewFolder(reviewCases(60));
  const { review } = await open({ reviewers: ['ann', 'bob', 'cem'], overlap: 0.25, repeat: 0 });
  const queues = review.reviewers.map((name) => review.queue(name).map((one) => one.case));
  const times = new Map<string, number>();
  for (const id of queues.flat()) times.set(id, (times.get(id) ?? 0) + 1);
  expect(times.size).toBe(60);
  expect([...times.values()].filter((count) => count === 3)).toHaveLength(15);
  expect([...times.values()].filter((count) => count === 1)).toHaveLength(45);
  expect(queues.map(({ length }) => length)).toEqual([30, 30, 30]);
});

test('which reply is first is a coin, another one for each reviewer, and the same when the review goes on', async () => {
  const { open } = reviewFolder(reviewCases(200));
  const { review, close } = await open({ overlap: 1, repeat: 0 });
  const sides = (of: typeof review, name: string) =>
    new Map(of.queue(name).map((one) => [one.case, one.items[0]?.candidate]));
  const [ann, bob] = [sides(review, 'ann'), sides(review, 'bob')];
  const firsts = [...ann.values()].filter((candidate) => candidate === 'tiny-model').length;
  expect(firsts).toBeGreaterThan(60); // 100 expected, 7 a standard deviation
  expect(firsts).toBeLessThan(140);
  const equal = [...ann].filter(([id, first]) => bob.get(id) === first).length;
  expect(equal).toBeGreaterThan(60);
  expect(equal).toBeLessThan(140);
  expect(review.queue('ann').map((one) => one.case)).not.toEqual(review.queue('bob').map((one) => one.case));
  const ids = review.queue('ann').map(({ id }) => id);
  close();
  const again = await open({ overlap: 1, repeat: 0 });
  expect(again.review.queue('ann').map(({ id }) => id)).toEqual(ids);
  expect(sides(again.review, 'ann')).toEqual(ann);
});

test('a share comes again, swapped, not before twenty others', async () => {
  const { open } = reviewFolder(reviewCases(100));
  const { review } = await open({ reviewers: ['ann'], repeat: 0.3 });
  const queue = review.queue('ann');
  expect(queue).toHaveLength(130);
  expect(new Set(queue.map(({ id }) => id)).size).toBe(130);
  for (const [at, again] of queue.entries()) {
    if (!again.isRepeat) continue;
    const before = queue.findIndex((one) => one.case === again.case);
    expect(at - before).toBeGreaterThan(20);
    expect(again.items).toEqual(queue[before]?.items.toReversed());
  }
});

test('what is graded stays with who graded it, the rest is dealt anew when reviewers come and go', async () => {
  const { open, options } = reviewFolder(reviewCases(30));
  const { review, close } = await open({ overlap: 0, repeat: 0 });
  const mine = review.queue('ann').slice(0, 5);
  for (const screen of mine) {
    review.grade('ann', screen, { grades: [{ grade: 'good' }, { grade: 'bad' }], revision: 0 });
  }
  close();
  const { review: later } = await open({ overlap: 0, repeat: 0, reviewers: ['ann', 'cem', 'dana'] });
  expect(mine.every(({ id }) => later.screen('ann', id) !== undefined)).toBe(true);
  expect(later.reviewers.map((name) => later.queue(name).length)).toEqual([10, 10, 10]);
  expect(later.progress('ann')).toEqual({ graded: 5, skipped: 0, total: 10 });
  expect(readFileSync(options.out, 'utf8').trimEnd().split('\n')).toHaveLength(6);
});

test('kappa and alpha are of what the reviewers share, and habits of what came twice', async () => {
  const { open } = reviewFolder(reviewCases(100));
  const { review } = await open({ overlap: 0.6, repeat: 0.2 });
  gradeAll(review, 'ann', (candidate, id) =>
    candidate === 'tiny-model' && Number(id.slice(1)) % 5 === 0 ? 'bad' : 'good',
  );
  gradeAll(review, 'bob', (candidate, id, isRepeat) =>
    (candidate === 'tiny-model' && Number(id.slice(1)) % 5 === 0) !== isRepeat ? 'bad' : 'good',
  );
  const { alpha, pairs, disagreements } = review.agreement();
  expect(alpha).toMatchObject({ cases: 60, items: 120 });
  const [pair] = pairs;
  // bob turns every grade of a repeat around, so that his mean there is .5, another value than ann's
  const repeated = new Set(review.queue('bob').flatMap((one) => (one.isRepeat ? [one.case] : [])));
  const common = review.queue('ann').flatMap((one) => (one.isRepeat ? [] : [one.case]));
  const shared = common.filter((id) => review.queue('bob').some((one) => one.case === id));
  expect(disagreements.toSorted()).toEqual(shared.filter((id) => repeated.has(id)).toSorted());
  expect(pair?.equal?.cases).toBe(60 - disagreements.length);
  expect(pair?.kappa.interval?.low).toBeLessThan(pair?.kappa.value ?? 0);
  expect(pair?.kappa.interval?.high).toBeGreaterThan(pair?.kappa.value ?? 1);
  expect(review.habits('ann').changed).toMatchObject({ count: 0, n: 16 });
  expect(review.habits('bob').changed).toMatchObject({ count: 16, n: 16 });
});

test('a reviewer who always likes the first reply is found out', async () => {
  const { open } = reviewFolder(reviewCases(60));
  const { review } = await open({ reviewers: ['ann'], repeat: 0.2 });
  for (const screen of review.queue('ann')) {
    review.grade('ann', screen, { grades: [{ grade: 'good' }, { grade: 'bad' }], revision: 0 });
  }
  const { firstBest, changed } = review.habits('ann');
  expect(firstBest).toMatchObject({ count: 72, n: 72 });
  expect(firstBest.interval?.low).toBeGreaterThan(0.9);
  expect(changed).toMatchObject({ count: 12, n: 12 });
});

test('another draw, other cases, a lost key and a foreign file are refused', async () => {
  const { open, at, options } = reviewFolder(reviewCases(10));
  const { close } = await open();
  await expect(open()).rejects.toMatchObject({ code: 'io' }); // two at once
  close();
  await expect(open({ n: 5, overlap: 0.1 })).rejects.toThrow(/was begun with --n 10 --overlap 0.5/);
  await expect(open({ candidates: ['huge-model', 'tiny-model'] })).rejects.toThrow(
    /--models tiny-model,huge-model/,
  );
  const fewer = reviewFolder(reviewCases(9));
  await expect(open({ cases: fewer.options.cases })).rejects.toThrow(/lack 1 of the 10/);
  await expect(open({ out: at('cases.jsonl') })).rejects.toThrow(/its key .*cases\.jsonl\.key\.json is not/);
  await expect(open({ reviewers: ['ann', 'ann'] })).rejects.toThrow(/each reviewer once/);
  await expect(open({ reviewers: ['<b>ann'] })).rejects.toThrow(/cannot be a reviewer's name/);
  await expect(open({ candidates: ['tiny', 'huge-model'], out: at('y.jsonl') })).rejects.toThrow(
    /no case has an outcome of tiny\. .* tiny-model, huge-model: give --models these names/i,
  );
  await expect(open({ candidates: ['a', 'b', 'c', 'd'], out: at('x.jsonl') })).rejects.toThrow(
    /at most 3 models/,
  );
  expect(readFileSync(options.out, 'utf8')).toBe('{"kind":"review","version":1}\n');
});

test('three models are shown side by side, and labelled cases without replies are counted', async () => {
  const rows = reviewCases(6).map(({ outcomes, ...row }, i) => ({
    ...row,
    outcomes: {
      ...outcomes,
      'middle-model': { quality: 1, ...(i < 4 && { answer: `Perhaps ${i}.` }) },
    },
  }));
  const { options } = reviewFolder(rows);
  const candidates = ['tiny-model', 'middle-model', 'huge-model'];
  const { review, drawn, population, withoutReplies } = await openReview({ ...options, candidates });
  onTestFinished(() => review.close());
  expect({ drawn, population, withoutReplies }).toEqual({ drawn: 4, population: 4, withoutReplies: 2 });
  for (const screen of review.queue('ann')) {
    expect(screen.items.map(({ candidate }) => candidate).toSorted()).toEqual(candidates.toSorted());
    const page = gradePage(review, 'ann', screen, { withScores: false });
    expect(page.match(/data-key="[1-9]"/g)).toHaveLength(9);
    expect(page).toContain('Reply C');
    expect(page).not.toContain('-model');
  }
});
