import { expect, test } from 'vitest';
import { allowedRungs } from '../../router/gateway/allowed-rungs.ts';
import { model } from '../fallback/fallback-script.ts';

const ladder = [model('a/small'), model('a/middle'), model('a/large')];

test('rungs that lack nothing are allowed, cheapest first; of the others it says what they lack', () => {
  const lacks = ({ name }: { name: string }) => (name === 'a/middle' ? ['images', 'the field seed'] : []);
  expect(allowedRungs(ladder, lacks)).toEqual({
    rungs: [0, 2],
    excluded: [{ model: 'a/middle', lacks: ['images', 'the field seed'] }],
  });
  expect(allowedRungs(ladder, () => [])).toEqual({ rungs: [0, 1, 2], excluded: [] });
  expect(allowedRungs(ladder, () => ['tools']).rungs).toEqual([]);
});
