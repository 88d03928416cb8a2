import { expect, test } from 'vitest';
import { gatewayForTest } from '../gateway/running-gateway.ts';
import { visit } from './dashboard-client.ts';

test('only what somebody set differs from the defaults', async () => {
  const config = { state: { kind: 'memory' as const }, decision_log: { to: 'state' as const } };
  const { url } = await gatewayForTest({ config });
  const page = await (await visit(`${url}/dashboard/configuration`)).text();
  const own = page.slice(0, page.indexOf('<details'));
  expect(own).toContain('<code>decision_log.to</code>');
  expect(own).toContain('<code>state.kind</code>');
  expect(own).not.toMatch(/decision_log\.(?:keep|max_bytes|include_prompt)/);
});
