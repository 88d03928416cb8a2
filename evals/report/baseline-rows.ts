import type { Evidence } from '../gate/index.ts';
import { costWord, lossWord, rateWord } from './number-words.ts';

/** The policy and what it is held against, one row each, the heading first. */
export function baselineRows(evidence: Evidence): string[][] {
  const { escalation_rate, quality, cost, apgr, cpt50, cpt80 } = evidence;
  const policy = { name: 'this policy', escalation_rate, quality: quality.routed, apgr, cpt50, cpt80 };
  return [
    ['baseline', 'escalated', 'quality', 'cost of 1,000', 'APGR', 'CPT50', 'CPT80'],
    ...[{ ...policy, cost_usd: cost?.routed_usd ?? null }, ...evidence.baselines].map((one) => [
      one.name,
      rateWord(one.escalation_rate),
      rateWord(one.quality),
      costWord(one.cost_usd),
      lossWord(one.apgr),
      rateWord(one.cpt50),
      rateWord(one.cpt80),
    ]),
  ];
}
