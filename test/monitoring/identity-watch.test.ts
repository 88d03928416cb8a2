import { expect, test } from 'vitest';
import { createIdentityWatch } from '../../router/monitoring/identity-watch.ts';

const NAME = 'openai/gpt-4o';

test('another name of the model counts once it comes three times in a row', () => {
  const watch = createIdentityWatch();
  const observe = (model: string) => watch.observe(NAME, { model });
  for (let i = 0; i < 10; i++) expect(observe('gpt-4o-2024-08-06')).toBeUndefined();
  for (const model of ['gpt-4o-2024-11-20', 'gpt-4o-2024-08-06', 'gpt-4o-2024-11-20', 'gpt-4o-2024-11-20'])
    expect(observe(model)).toBeUndefined();
  expect(observe('gpt-4o-2024-11-20')).toEqual({
    name: NAME,
    field: 'model',
    before: 'gpt-4o-2024-08-06',
    now: 'gpt-4o-2024-11-20',
  });
  expect(observe('gpt-4o-2024-11-20')).toBeUndefined();
  expect(watch.observe('other/model', { model: 'x' })).toBeUndefined();
});

test('fingerprints come by turns; only when none of the first hundred replies comes any more is it another model', () => {
  const watch = createIdentityWatch();
  const observe = (fingerprint: string) => watch.observe(NAME, { fingerprint });
  for (let i = 0; i < 400; i++) expect(observe(`fp_${i % 5}`)).toBeUndefined();
  for (let i = 0; i < 200; i++) expect(observe(i % 40 === 0 ? 'fp_1' : 'fp_new')).toBeUndefined();
  expect(observe('fp_1')).toBeUndefined();
  for (let i = 0; i < 49; i++) expect(observe(`fp_new${i % 2}`)).toBeUndefined();
  expect(observe('fp_new0')).toMatchObject({
    field: 'fingerprint',
    before: 'fp_0, fp_1, fp_2, fp_3, fp_4',
    now: 'fp_new0',
  });
});

test('what an earlier process knew is compared with, and what is no name is left out', () => {
  const watch = createIdentityWatch();
  watch.restore(NAME, { model: 'old', fingerprints: [], n: 0 });
  const seen = Array.from({ length: 3 }, () => watch.observe(NAME, { model: 'new' }));
  expect(seen).toEqual([undefined, undefined, expect.objectContaining({ before: 'old', now: 'new' })]);
  const learned: unknown[] = [];
  const words = createIdentityWatch((name, known) => void learned.push(name, known));
  for (let i = 0; i < 5; i++)
    expect(words.observe(NAME, { model: `line\nbreak ${i % 2}`, fingerprint: 'with words' })).toBeUndefined();
  expect(learned).toEqual([]);
  words.observe(NAME, { model: 'new', fingerprint: 'fp_1' });
  expect(learned).toEqual([NAME, { model: 'new', fingerprints: ['fp_1'], n: 1 }]);
});
