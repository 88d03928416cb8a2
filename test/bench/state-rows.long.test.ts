import { expect, test } from 'vitest';
import { benchTexts } from '../../scripts/bench/fixtures.ts';
import { stateLog } from '../../scripts/bench/gateway/state-log.ts';
import { threads } from '../../scripts/bench/state/threads.ts';
import { HAS_POSTGRES } from '../helpers/databases.ts';

const KINDS = HAS_POSTGRES ? ['sqlite', 'postgres'] : ['sqlite'];

test('threads that are stored are resolved in full, and timed', async () => {
  const texts = benchTexts();
  const rows = await threads({ texts, threads: 3, turns: 60, reads: 5, say: () => {} });
  expect(rows.map(({ name }) => name)).toEqual(KINDS.map((kind) => `threads-${kind}-p95`));
  for (const { value, peer } of rows)
    expect([value.n, value.median > 0, peer?.value.n]).toEqual([5, true, 5]);
});

test('the decision log in the state is compared with one in a file', async () => {
  const rows = await stateLog({ texts: benchTexts(), rounds: 1, roundSeconds: 1 });
  expect(rows.map(({ name }) => name)).toEqual(
    KINDS.flatMap((kind) => [`state-${kind}-p50`, `state-${kind}-saturation`]),
  );
  for (const { value, ratio } of rows) {
    expect(Number.isFinite(value.median)).toBe(true);
    expect(ratio?.n).toBe(1);
  }
}, 240_000); // it starts a server for each kind, one after the other
