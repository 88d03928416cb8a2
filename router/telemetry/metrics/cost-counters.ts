import type { Registry } from 'prom-client';
import type { RequestFacts } from '../../records/index.ts';
import { counterIn } from './counter-in.ts';
import { NONE } from './request-counters.ts';

/** Counts tokens and US dollars; of what is not known, nothing. */
export function costCounters(registry: Registry): (facts: RequestFacts) => void {
  const counters = countersIn(registry);
  return (facts) => countCosts(counters, facts);
}

function countersIn(registry: Registry) {
  const counter = counterIn(registry);
  return {
    tokensIn: counter('plimsoll_input_tokens_total', 'Tokens of prompts, cached ones too.', 'model'),
    tokensOut: counter('plimsoll_output_tokens_total', 'Tokens of answers.', 'model'),
    cost: counter('plimsoll_cost_usd_total', 'US dollars that answers cost, by model.', 'model'),
    compared: counter(
      'plimsoll_compared_cost_usd_total',
      'US dollars of the routed requests that the baseline and the random cost are known for.',
    ),
    baseline: counter(
      'plimsoll_baseline_cost_usd_total',
      'ESTIMATE: US dollars of the same requests at the strongest candidate, with the same tokens.',
    ),
    random: counter(
      'plimsoll_random_cost_usd_total',
      'ESTIMATE: US dollars of the same requests at random with the same shares and tokens.',
    ),
  };
}

function countCosts(money: ReturnType<typeof countersIn>, facts: RequestFacts): void {
  const { usage, costUsd, baselineCostUsd, randomCostUsd } = facts;
  const model = facts.served?.name ?? NONE;
  if (usage && isCount(usage.inputTokens) && isCount(usage.outputTokens)) {
    money.tokensIn.inc({ model }, usage.inputTokens);
    money.tokensOut.inc({ model }, usage.outputTokens);
  }
  if (costUsd === undefined) return;
  money.cost.inc({ model }, costUsd);
  if (baselineCostUsd === undefined || randomCostUsd === undefined) return;
  money.compared.inc(costUsd);
  money.baseline.inc(baselineCostUsd);
  money.random.inc(randomCostUsd);
}

/** What a provider says may be anything: NaN would spoil a counter for good, and a negative number throws. */
function isCount(tokens: number): boolean {
  return Number.isFinite(tokens) && tokens >= 0;
}
