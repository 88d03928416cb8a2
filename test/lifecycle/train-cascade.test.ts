import { beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { type TrainOptions, train } from '../../evals/lifecycle/index.ts';
import { type ArtifactDraft, manifestSchema } from '../../router/artifact/index.ts';
import { judgeReply, signalGaps, skipAt } from '../../router/cascade/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import type { Reply } from '../../router/types.ts';
import { LARGE, MEDIUM, SMALL } from '../cli/made-up-data.ts';
import { itLong } from '../helpers/long-run.ts';
import { smallCases, smallRun } from './small-run.ts';

const PAIR = [
  { candidate: 'cheap', model: SMALL },
  { candidate: 'strong', model: LARGE },
];

/** The small cases with a reply of one of the models; a good one is sure of itself in most cases. */
function casesWithReplies(of = SMALL, replyTo?: (one: Case, index: number) => Reply | undefined): Case[] {
  const random = seededRandom(7);
  const sure = (one: Case) => {
    const good = one.outcomes.get(of)!.quality === 1;
    return { text: 'B', confidenceLogprob: Math.log(good ? 0.6 + 0.4 * random() : 0.1 + 0.7 * random()) };
  };
  return smallCases().map((one, i) => {
    const reply = (replyTo ?? sure)(one, i);
    const outcome = { ...one.outcomes.get(of)!, ...(reply && { reply }) };
    return { ...one, outcomes: new Map(one.outcomes).set(of, outcome) };
  });
}

const trained = (cases: Case[], changes: Partial<TrainOptions> = {}) =>
  train(...smallRun({ cases, ladder: PAIR, cascade: true, ...changes }));

describe('train, of a cascade', () => {
  let draft: ArtifactDraft;
  beforeAll(async () => {
    draft = await trained(casesWithReplies());
  });

  it('writes a judge and a path into a manifest that the schema takes', () => {
    const manifest = manifestSchema.parse({ ...draft.manifest, files: {} });
    const { judge, path, skip } = manifest.cascade!;
    expect(path.length).toBeGreaterThan(1);
    expect(skip).toBe(skipAt({ path }, manifest.policy.threshold));
    const judged = (confidenceLogprob: number) =>
      judgeReply(judge, [0, 1], 'Which?', { text: 'B', confidenceLogprob }).predictedLoss;
    expect(judged(Math.log(0.95))).toBeLessThan(judged(Math.log(0.3)));
    expect(draft.modelCard).toContain('Else cheap replies, the reply is judged');
  });

  it('names the signals that its replies had alike, and those that none had', () => {
    const [note, unseen, ...others] = signalGaps(draft.manifest);
    expect(note).toMatch(new RegExp(`^All training replies of ${SMALL} are alike in .*length_log`));
    expect(note).not.toContain('confidence');
    expect(draft.modelCard).toContain(note);
    expect(unseen).toMatch(
      new RegExp(`^No training reply of ${SMALL} has mean_logprob, min_logprob, finish_reason: `),
    );
    expect(draft.modelCard).toContain(unseen);
    expect(others).toEqual([]);
  });

  it('escalates as often as the rule says, and saves more of the strong model than a prompt alone', async () => {
    const { expected } = draft.manifest.policy;
    expect(expected!.escalation_rate).toBeLessThanOrEqual(0.4);
    const prompt = await train(...smallRun({ ladder: PAIR }));
    expect(prompt.manifest).not.toHaveProperty('cascade');
    expect(draft.manifest.metrics!.apgr).toBeGreaterThan(prompt.manifest.metrics!.apgr!);
    expect(expected!.quality_loss).toBeLessThan(prompt.manifest.policy.expected!.quality_loss);
  });

  it('has the classifier that a prompt alone has', async () => {
    const prompt = await train(...smallRun({ cases: casesWithReplies(), ladder: PAIR }));
    expect(draft.classifier).toEqual(prompt.classifier);
  });

  it('judges no reply that is not known, and leaves it out of the figures', async () => {
    const some = await trained(
      casesWithReplies(SMALL, (_, i) => (i % 2 ? { text: `B${i % 9}` } : undefined)),
    );
    expect(some.manifest.metrics!.n).toBeLessThan(0.6 * some.manifest.split.train.n);
    expect(some.manifest.policy.expected!.n).toBe(some.manifest.metrics!.n);
  });

  it('skips nothing without costs', async () => {
    const free = casesWithReplies().map((one) => ({
      ...one,
      outcomes: new Map([...one.outcomes].map(([model, { costUsd: _, ...rest }]) => [model, rest])),
    }));
    const { manifest } = await trained(free);
    expect(manifest.cascade!.path).toEqual([{ accept: -1, skip: 0.999 }]);
    expect(manifest.policy.expected).not.toHaveProperty('cost_saved');
  });

  it.each([
    [
      'no reply',
      () => smallCases(),
      /of the replies of .*answer \(the text\), confidence_logprob and signals/,
    ],
    ['replies of another model', () => casesWithReplies(LARGE), new RegExp(`They do of ${LARGE}`)],
  ])('refuses cases with %s', async (_, cases, message) => {
    await expect(trained(cases())).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringMatching(message),
    });
  });

  describe('of three rungs', () => {
    const { ladder } = smallRun()[1];
    const both = () => {
      const medium = casesWithReplies(MEDIUM);
      return casesWithReplies().map((one, i) => ({
        ...one,
        outcomes: new Map(one.outcomes).set(MEDIUM, medium[i]!.outcomes.get(MEDIUM)!),
      }));
    };

    it('has a judge and a path for each but the strongest, each of its own model', async () => {
      const three = await trained(both(), { ladder });
      const manifest = manifestSchema.parse({ ...three.manifest, files: {} });
      const { middle = [], ...cheapest } = manifest.cascade!;
      expect(middle).toHaveLength(1);
      for (const { judge, path, skip } of [cheapest, ...middle]) {
        expect(skip).toBe(skipAt({ path }, manifest.policy.threshold));
        const judged = (confidenceLogprob: number) =>
          judgeReply(judge, [0, 1, 2], 'Which?', { text: 'B', confidenceLogprob }).predictedLoss;
        expect(judged(Math.log(0.95))).toBeLessThan(judged(Math.log(0.3)));
      }
      expect(middle[0]!.judge).not.toEqual(cheapest.judge);
      expect(three.modelCard).toContain('The others below strong reply one after the other');
      expect(manifest.policy.expected!.cost_saved).toBeGreaterThan(0);
    });

    itLong('leaves out of the figures what lacks a reply to judge', async () => {
      const some = both().map((one, i) => {
        const { reply: _, ...rest } = one.outcomes.get(MEDIUM)!;
        return i % 2 ? { ...one, outcomes: new Map(one.outcomes).set(MEDIUM, rest) } : one;
      });
      const { manifest } = await trained(some, { ladder });
      expect(manifest.metrics!.n).toBeLessThan(0.6 * manifest.split.train.n);
    });

    it('is refused without replies of the middle model', async () => {
      await expect(trained(casesWithReplies(), { ladder })).rejects.toMatchObject({
        code: 'insufficient-data',
        message: expect.stringMatching(new RegExp(`of the replies of ${MEDIUM}.*They do of ${SMALL}`)),
      });
    });
  });
});
