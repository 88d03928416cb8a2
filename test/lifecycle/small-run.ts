import type { Case } from '../../evals/cases/index.ts';
import type { LabelledData, TrainOptions } from '../../evals/lifecycle/index.ts';
import type { Rung } from '../../router/artifact/index.ts';
import { LARGE, MEDIUM, madeUpRows, SMALL } from '../cli/made-up-data.ts';

export const LADDER: readonly Rung[] = [
  { candidate: 'cheap', model: SMALL },
  { candidate: 'middle', model: MEDIUM },
  { candidate: 'strong', model: LARGE },
];

/** The made-up rows as cases, each a question of its own. */
export function smallCases(): Case[] {
  return madeUpRows().map(({ id, task, prompt, outcomes }) => ({
    id,
    key: prompt,
    source: 'made-up',
    task,
    text: prompt,
    outcomes: new Map(
      Object.entries(outcomes).map(([model, { quality, cost_usd }]) => [
        model,
        { quality, costUsd: cost_usd },
      ]),
    ),
  }));
}

export const SOURCE = {
  quality_field: 'quality',
  files: [{ file: 'made-up.jsonl', sha256: 'ab'.repeat(32), rows: 300 }],
  rejected: 2,
  excluded: 5,
};

/** A training run of seconds. */
export function smallRun({
  cases = smallCases(),
  ...changes
}: Partial<TrainOptions & LabelledData> = {}): [LabelledData, TrainOptions] {
  return [
    { cases, source: SOURCE },
    {
      name: 'small',
      created: new Date('2025-01-01T00:00:00.000Z'),
      ladder: LADDER,
      rule: { rule: 'escalation-rate', target: 0.4 },
      folds: 2,
      ...changes,
    },
  ];
}
