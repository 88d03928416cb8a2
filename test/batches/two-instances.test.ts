import { expect, test, vi } from 'vitest';
import { HAS_POSTGRES, postgresUrl } from '../helpers/databases.ts';
import { batchGateway, chatLines, created, ended, resultLines } from './batch-gateway.ts';

test.skipIf(!HAS_POSTGRES)(
  'two instances on one PostgreSQL: one at a time works on a batch, and the other goes on when it leaves',
  async () => {
    const state = { kind: 'postgres', url: await postgresUrl() } as const;
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
    expect(done.plimsoll!.requests).toBe(spent.requests);
    expect(Math.round(Number(done.plimsoll!.cost_usd) * 1e9)).toBe(spent.nanoUsd);
  },
  120_000,
);
