import path from 'node:path';
import type { Case } from '../../evals/cases/index.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { writeArtifact } from '../../router/artifact/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { copyOfMadeOnce } from '../helpers/made-once.ts';
import { CHEAP, gateWorld, STRONG, scratch, writeCaseFile, writeSuite } from './gate-world.ts';

export interface CascadeWorld {
  readonly home: string;
  /** A cascade, and a router by the prompt alone that was trained on the same cases. */
  readonly artifact: string;
  readonly promptAlone: string;
  readonly cases: readonly Case[];
  readonly data: string;
  readonly suite: string;
}

/** The cases of the gate's world with the cheap model's replies: a good one is often, and a bad one seldom, sure of itself. */
export function withReplies(cases: readonly Case[]): Case[] {
  const random = seededRandom(17);
  return cases.map((one) => {
    const [cheap, strong] = [one.outcomes.get(CHEAP)!, one.outcomes.get(STRONG)!];
    const probability = cheap.quality === 1 ? 1 - 0.5 * random() ** 2 : 0.1 + 0.85 * random();
    const reply = { text: 'B', confidenceLogprob: Math.log(probability) };
    const latencyMs = 100 + Math.floor(400 * random());
    return {
      ...one,
      outcomes: new Map([
        [CHEAP, { ...cheap, latencyMs, reply }],
        [STRONG, { ...strong, latencyMs: 3 * latencyMs + Math.floor(500 * random()) }],
      ]),
    };
  });
}

let cached: Promise<CascadeWorld> | undefined;

/** One for each process, gone when it ends. */
export function cascadeWorld(): Promise<CascadeWorld> {
  cached ??= build();
  return cached;
}

async function build(): Promise<CascadeWorld> {
  const home = scratch();
  const cases = withReplies((await gateWorld()).cases);
  const [artifact, promptAlone] = [true, false].map(async (cascade) => {
    const store = cascade ? 'cascades' : 'prompts';
    const folder = path.join(home, store, 'made');
    const options = {
      name: 'made',
      created: new Date('2025-01-01T00:00:00.000Z'),
      ladder: [CHEAP, STRONG],
      cascade,
      rule: { rule: 'max-quality-loss', target: 0.05, confidence: 0.95 },
      folds: 2,
      learner: 'lr',
    } as const;
    await copyOfMadeOnce(store, folder, async (made) => writeArtifact(made, await train({ cases }, options)));
    return folder;
  });
  const data = writeCaseFile(path.join(home, 'cases-with-replies.jsonl'), cases);
  const suite = writeSuite(home, { escalation_rate: { min: 0.05, max: 0.95 } });
  return { home, artifact: await artifact!, promptAlone: await promptAlone!, cases, data, suite };
}
