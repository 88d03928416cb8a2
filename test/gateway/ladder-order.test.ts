import { expect, test } from 'vitest';
import { gatewayForTest } from './running-gateway.ts';

const IN_ORDER = /is in another order than the prices/;

function warnings(log: readonly string[]): string[] {
  return log
    .map((line) => JSON.parse(line))
    .flatMap(({ level, msg }) => (level === 'warn' && IN_ORDER.test(msg) ? [msg] : []));
}

test('a ladder and a profile that are dearer at the bottom are warned of once at start, with rungs and prices', async () => {
  const price = (input: number, output: number) => ({ price: { input, output } });
  const { log } = await gatewayForTest({
    config: {
      models: {
        'first/small': price(3, 15),
        'first/large': price(1, 5),
        'claude/small': price(9, 9),
        'claude/large': price(1, 1),
      },
      profiles: { claude: { ladder: { strong: 'claude/large', cheap: 'claude/small' } } },
    },
  });
  expect(warnings(log)).toEqual([
    expect.stringMatching(
      /^ladder is .*cheap \(first\/small, \$3 in and \$15 out .*strong \(first\/large, \$1 in/,
    ),
    expect.stringMatching(
      /^profiles\.claude\.ladder is .*cheap \(claude\/small, \$9 in .*strong \(claude\/large, \$1 in/,
    ),
  ]);
});

test('a ladder in order is no warning', async () => {
  const { log } = await gatewayForTest();
  expect(warnings(log)).toEqual([]);
});
