import { expect, test } from 'vitest';
import { replyHeaders, selectionHeaders } from '../../router/gateway/reply-headers.ts';
import { facts } from '../records/facts.ts';

const { selected, decision } = facts();
const routed = { selected: selected!, reason: 'within-threshold', decision } as const;

const story = {
  served: selected!.name,
  attempts: 2,
  overheadMs: 0.25,
  dropped: [],
  costUsd: 0.5,
  baselineCostUsd: undefined,
};

test('the head has what is known, and no more', () => {
  const own = selectionHeaders('req_1', { ...routed, decision: undefined, reason: 'explicit-model' });
  expect(replyHeaders(own, {}, { ...story, costUsd: undefined, served: undefined })).toEqual({
    'x-plimsoll-decision-id': 'req_1',
    'x-plimsoll-selected': selected!.name,
    'x-plimsoll-reason': 'explicit-model',
    'x-plimsoll-verdict': 'none',
    'x-plimsoll-attempts': '2',
    'x-plimsoll-overhead-ms': '0.250',
  });
});

test('what a provider says of itself as a gateway is not taken for ours; its other headers are', () => {
  const theirs = {
    'content-type': 'application/json',
    'x-plimsoll-selected': 'theirs/model',
    'x-plimsoll-baseline-cost-usd': '7',
  };
  const head = replyHeaders(selectionHeaders('dec_1', routed), theirs, story);
  expect(head).toMatchObject({
    'content-type': 'application/json',
    'x-plimsoll-selected': selected!.name,
    'x-plimsoll-policy': decision!.policy.name,
    'x-plimsoll-verdict': 'PASS',
    'x-plimsoll-cost-usd': '0.50000000',
  });
  expect(head).not.toHaveProperty('x-plimsoll-baseline-cost-usd');
});

test.each([
  ['local/klein-ä', 'local/klein-%C3%A4'],
  ['local/\u{1f600}', 'local/%F0%9F%98%80'],
  ['local/a\nb', 'local/a%0Ab'],
  ['local/\ud800', 'local/%EF%BF%BD'],
])('a name that no header may hold: %j', (name, written) => {
  const head = selectionHeaders('dec_1', { ...routed, selected: { ...selected!, name } });
  expect(head['x-plimsoll-selected']).toBe(written);
});

test('what was dropped is listed, and the list is bounded', () => {
  const head = (dropped: string[]) =>
    replyHeaders(selectionHeaders('dec_1', routed), {}, { ...story, dropped });
  expect(head([])).not.toHaveProperty('x-plimsoll-dropped');
  expect(head(['user', 'messages.0.name'])['x-plimsoll-dropped']).toBe('user, messages.0.name');
  const many = Array.from({ length: 200 }, (_, index) => `messages.${index}.cache_control`);
  const listed = head(many)['x-plimsoll-dropped']!;
  expect(listed.length).toBeLessThan(1_050);
  const [, shown, left] = /^(.*), and (\d+) more$/.exec(listed)!;
  expect(shown!.split(', ')).toEqual(many.slice(0, 200 - Number(left)));
});
