import { expect, test } from 'vitest';
import { benchTexts } from '../../scripts/bench/fixtures.ts';
import type { Row } from '../../scripts/bench/measurement.ts';
import { affinity } from '../../scripts/bench/stress/affinity.ts';
import { broken } from '../../scripts/bench/stress/broken-streams.ts';
import { budget } from '../../scripts/bench/stress/budget.ts';
import type { StressContext } from '../../scripts/bench/stress/context.ts';
import { HAS_POSTGRES, HAS_REDIS } from '../helpers/databases.ts';

const SMALL: StressContext = {
  texts: benchTexts(),
  concurrent: 400,
  requests: 600,
  hedged: 500,
  sessions: 12,
  seconds: 1,
  say: () => {},
};
const figures = (rows: readonly Row[]) => rows.map(({ name, value }) => [name, value.median]);

test.runIf(HAS_POSTGRES && HAS_REDIS)(
  'a budget holds under hundreds of requests at once, failing attempts and a killed instance',
  async () => {
    expect(figures(await budget(SMALL))).toEqual([
      ['budget-overspent', 0],
      ['budget-window', 0],
      ['budget-crossed', 0],
    ]);
  },
  300_000,
);

test.runIf(HAS_POSTGRES && HAS_REDIS)(
  'every reply that breaks off is in the ledger, and every whole one to the billionth of a dollar',
  async () => {
    expect(figures(await broken(SMALL))).toEqual([
      ['broken-settled', 0],
      ['broken-accounted', 0],
      ['broken-windows', 0],
    ]);
  },
  300_000,
);

test('conversations on four deployments and two instances find the cache of the provider as without a router', async () => {
  const [row] = await affinity(SMALL);
  expect(row!.value.median).toBeGreaterThanOrEqual(0.98);
}, 300_000);
