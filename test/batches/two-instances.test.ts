import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { batchGateway, chatLines, created, ended, resultLines } from './batch-gateway.ts';

const STATES = {
  SQLite: async () => ({ kind: 'sqlite', url: path.join(scratchFolder(), 'state.db') }) as const,
  ...(HAS_POSTGRES && { PostgreSQL: async () => ({ kind: 'postgres', url: await postgresUrl() }) as const }),
};

test.each(Object.entries(STATES))(
  'two instances on one %s: one at a time works on a batch, the other goes on when it leaves, and either cancels',
  async (_, stateOf) => {
    const state = await stateOf();
    const wishes = { config: { state }, upstream: { delayMs: 20 } };
    const [a, b] = [
      await batchGateway({ max_concurrency: 2 }, wishes),
      await batchGateway({ max_concurrency: 2 }, wishes),
    ];
    const batch = await created(a.openai, chatLines(120));
    const sent = () => [a.first.requests.length, b.first.requests.length] as const;
    await vi.waitFor(() => expect(sent()[0] + sent()[1]).toBeGreaterThan(20), { timeout: 30_000 });
    const [byA, byB] = sent();
    expect([byA, byB]).toContain(0); // the other one has the lease
    const [working, idle] = byA > 0 ? [a, b] : [b, a];
    const other = await created(working.openai, chatLines(500));
    expect((await idle.openai.batches.cancel(other.id)).status).toBe('cancelling');
    const cancelled = await ended(working.openai, other.id);
    expect(cancelled.status).toBe('cancelled');
    await working.close(); // as SIGTERM does
    const done = await ended(idle.openai, batch.id, 60_000);
    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 120, completed: 120, failed: 0 },
    });
    expect(idle.first.requests.length).toBeGreaterThan(0);
    const lines = await resultLines(idle.openai, done.output_file_id);
    expect(new Set(lines.map((line) => line.custom_id)).size).toBe(120);
    expect(lines).toHaveLength(120);
    const spent = await idle.gateway.state!.ledger.spent('', '2000-01-01');
    const reports = [done, cancelled].map(({ plimsoll }) => plimsoll!);
    expect(reports.reduce((sum, { requests }) => sum + requests, 0)).toBe(spent.requests);
    const costs = reports.map(({ cost_usd }) => Math.round(Number(cost_usd) * 1e9));
    expect(costs[0]! + costs[1]!).toBe(spent.nanoUsd);
  },
  120_000,
);
