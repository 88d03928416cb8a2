import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openReviewDesk } from '../../evals/review/index.ts';
import { jsonLines } from '../labelling/labelling-world.ts';
import { dashboardServer, scratch } from './dashboard-client.ts';

const MODELS = ['tiny-model', 'huge-model'];

/** A judge finds the small model's reply worse on every second case, and no difference on the others. */
export function judgedCases(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    prompt: `<b>Question</b> ${i}?`,
    outcomes: {
      'tiny-model': {
        quality: i % 2 === 0 ? 0 : 0.5,
        answer: `It is <i>${i}</i>.`,
        label_source: 'judge',
        cost_usd: 0.001,
      },
      'huge-model': { quality: 0.5, answer: `I think that it is ${i}.`, label_source: 'judge' },
    },
  }));
}

/** A server with cases in a file. */
export async function labelServer(rows: readonly object[] = judgedCases(6), review: object = {}) {
  const folder = scratch();
  const at = (name: string) => path.join(folder, name);
  writeFileSync(at('cases.jsonl'), jsonLines(rows));
  const options = {
    cases: [at('cases.jsonl')],
    models: MODELS,
    out: at('grades.jsonl'),
    overlap: 1,
    repeat: 0,
    ...review,
  };
  const start = () =>
    dashboardServer(
      { state: { kind: 'sqlite', url: at('state.db') }, review: options },
      { review: openReviewDesk },
    );
  return { at, options, start, ...(await start()) };
}
