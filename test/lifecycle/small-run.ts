import type { Case } from '../../evals/cases/index.ts';
import type { TrainInput } from '../../evals/lifecycle/index.ts';
import type { Rung } from '../../router/artifact/index.ts';
import { createStaticEncoder } from '../../router/encoders/index.ts';
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

/** A training run of seconds. */
export function smallRun(changes: Partial<TrainInput> = {}): TrainInput {
  return {
    name: 'small',
    created: '2025-01-01T00:00:00.000Z',
    cases: smallCases(),
    ladder: LADDER,
    encoder: createStaticEncoder(),
    rule: { rule: 'escalation-rate', target: 0.4 },
    seed: 1,
    folds: 2,
    data: {
      quality_field: 'quality',
      files: [{ file: 'made-up.jsonl', sha256: 'ab'.repeat(32), rows: 300 }],
      rejected: 2,
      excluded: 5,
    },
    ...changes,
  };
}
