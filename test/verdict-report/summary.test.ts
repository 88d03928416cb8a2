import { describe, expect, test } from 'vitest';
import { readVerdict, type VerdictContent } from '../../router/artifact/index.ts';
import { evidenceSchema, verdictSummary } from '../../router/verdict-report/index.ts';
import { evidence } from '../report/made-up-evidence.ts';
import {
  decisionsVerdict,
  failingVerdict,
  ladderVerdict,
  madeUpVerdict,
  passingVerdict,
} from '../report/made-up-verdict.ts';

const PASS = passingVerdict();
const { sealed: SEALED, conditions } = PASS;
const withSealed = (sealed: Partial<VerdictContent['sealed']>) =>
  verdictSummary(madeUpVerdict({ conditions, sealed: { ...SEALED, ...sealed } }));

describe('a verdict in a sentence', () => {
  test('PASS: what it saves, what it loses at most, how sure, on how many requests, and nothing else', () => {
    expect(verdictSummary(PASS)).toBe(
      'Sending 32 % of requests to mixtral-8x7b saves about 31 % of the cost of always using gpt-4-1106 and loses at most 2.0 points of quality, with 95 % confidence, on 2,747 test requests.',
    );
  });

  test('a bound is rounded up, so that the sentence stays true', () => {
    const upper = 0.01801;
    const first = { ...conditions[0]!, bounds: { lower: 0, upper } };
    const text = verdictSummary(madeUpVerdict({ conditions: [first, ...conditions.slice(1)] }));
    expect(text).toContain('loses at most 1.9 points');
    const better = { ...first, bounds: { lower: -0.03, upper: -0.0049 } };
    expect(verdictSummary(madeUpVerdict({ conditions: [better] }))).toContain(
      'gains at least 0.4 points of quality',
    );
  });

  test('without prices it says that a saving is not known, and no figure', () => {
    const text = verdictSummary(madeUpVerdict({ conditions }, { cost: null }));
    expect(text).toContain('; what it saves cannot be said, as not every cost is known.');
    expect(text).not.toMatch(/saves about|\$/);
    const below = { limit: 0.1, pool: 20_000, share: 0.4, plan_sha256: 'a'.repeat(64) };
    const drawn = verdictSummary(
      madeUpVerdict({ conditions, sealed: { ...SEALED, below_limit: below } }, { cost: null }),
    );
    expect(drawn).toContain(
      '2,747 test requests drawn from 20,000; what it saves cannot be said, as only a part',
    );
  });

  test('a router that costs more is said to', () => {
    const cost = { ...evidence.cost!, saved_against_strong: -0.04 };
    expect(verdictSummary(madeUpVerdict({ conditions }, { cost }))).toContain('costs about 4 % more than');
  });

  test('FAIL: which demand is broken, with the bound that shows it', () => {
    expect(verdictSummary(failingVerdict())).toMatch(
      /^Do not use the router starter: on 2,747 test requests a demand is broken\. At most 2\.0 points of quality may be lost .*: 3\.9 were lost, and with 95 % confidence no less than 3\.0\. As measured, which promises nothing: sending 32 %/,
    );
  });

  test('INCONCLUSIVE: what is not shown, and how many more would decide', () => {
    expect(verdictSummary(madeUpVerdict())).toMatch(
      /^Not decided yet: .* keeps to this: at most 5\.0 points of quality may be lost on law, and one more demand\. About 1,180 more would probably decide\./,
    );
    const walk = { from: -0.05, to: 0.999, steps: 0, stopped_by: 'slice/law' };
    const nothing = verdictSummary(madeUpVerdict({ walk }));
    expect(nothing).toMatch(/^Nothing is proved yet: at no threshold do 2,747 test requests show /);
    expect(nothing).not.toContain('saves about');
  });

  test('INCONCLUSIVE of too few cases: how many it takes at least, as the note of the condition has it', () => {
    const need =
      'too few cases to prove the limit: it takes at least 44 further ones, even if none of them loses, and more if some do';
    const open = { ...conditions[0]!, verdict: 'INCONCLUSIVE', note: `${need}; and something else` } as const;
    expect(verdictSummary(madeUpVerdict({ verdict: 'INCONCLUSIVE', conditions: [open] }))).toContain(
      'strongest model. Too few cases to prove the limit: it takes at least 44 further ones, even if none of them loses, and more if some do. As measured',
    );
    const walk = { from: -0.05, to: 0.999, steps: 0, stopped_by: open.name };
    expect(verdictSummary(madeUpVerdict({ verdict: 'INCONCLUSIVE', conditions: [open], walk }))).toMatch(
      /^Nothing is proved yet: .* it takes at least 44 further ones/,
    );
  });

  test('labels of a judge, and a second look, are said', () => {
    expect(withSealed({ labels: { judged: 2_000, people: 0 } })).toContain(
      'A model judged 2,000 of them and people none: this is true only as far as that judge is right.',
    );
    expect(withSealed({ labels: { judged: 2_000, people: 150 } })).toContain('people 150 of these too');
    expect(verdictSummary(failingVerdict())).toContain('It is look 5 at some of these requests');
  });

  test('groups, whole sessions and weights are named', () => {
    expect(withSealed({ sampling: 'groups', units: 300 })).toContain('2,747 test requests in 300 groups');
    const weights = { from: 1, to: 9, largest: 10, described: 700 };
    expect(withSealed({ weights })).toContain('2,747 test requests, weighted to stand for the traffic');
  });

  test('a ladder names each model below the strongest, and a cascade what it keeps', () => {
    const three = evidenceSchema.parse(ladderVerdict().evidence);
    const [cheap, middle, strong] = three.rungs;
    const rungs = [cheap!, { ...middle!, share: 0.1, quality: 0.7 }, { ...strong!, share: 0.3 }];
    expect(verdictSummary(madeUpVerdict({ conditions }, { ...three, rungs }))).toMatch(
      /^Sending 60 % of requests to small and 10 % to medium loses at most/,
    );
    const cascade = {
      accept: 0.1,
      skip: 0.5,
      share_skipped: 0.1,
      share_accepted: 0.61,
      share_escalated: 0.29,
      unknown_replies: 0,
      latency: null,
    };
    expect(verdictSummary(madeUpVerdict({ conditions }, { cascade }))).toMatch(
      /^Judging replies and keeping mixtral-8x7b's reply for 61 % of requests saves about 31 %/,
    );
  });

  test('decisions made elsewhere, and evidence of another version', () => {
    expect(verdictSummary(decisionsVerdict())).toMatch(/^Do not use the decisions in /);
    const limit =
      ' No artifact was judged: nothing binds this to what is served, and whether the router has learned from these requests is not known.';
    for (const word of ['PASS', 'INCONCLUSIVE', 'FAIL'] as const) {
      const one = { ...conditions[0]!, verdict: word };
      const text = verdictSummary({ ...decisionsVerdict(), verdict: word, conditions: [one] });
      expect(text.endsWith(limit), text).toBe(true);
      expect(text).not.toMatch(/decisions in .{1,50} (keeps|loses|gains|meets)/);
    }
    expect(verdictSummary({ ...decisionsVerdict(), verdict: 'PASS', conditions, evidence: {} })).toMatch(
      /^Routing as the decisions in .+ do loses at most/,
    );
    expect(verdictSummary(PASS)).not.toContain('No artifact was judged');
    const bare = { ...PASS, evidence: {} };
    expect(verdictSummary(bare)).toBe(
      'The router starter loses at most 2.0 points of quality against always using the strongest model, with 95 % confidence, on 2,747 test requests.',
    );
  });

  test('a ladder that a mix of its models may equal', () => {
    const beats = (lower: number) => ({
      ...conditions[0]!,
      name: 'beats-random',
      method: 'bootstrap',
      bounds: { lower, upper: 0.03 },
    });
    const sentence = / It cannot be told from a random mix of the single models at the same cost\./;
    const summaryWith = (lower: number) =>
      verdictSummary({ ...PASS, verdict: 'PASS', conditions: [...PASS.conditions, beats(lower)] });
    expect(summaryWith(-0.01)).toMatch(sentence);
    expect(summaryWith(0.01)).not.toMatch(sentence);
  });

  test('the starter that ships', () => {
    expect(verdictSummary(readVerdict('models/starter')!)).toMatch(
      /^Sending 37 % of requests to small-models loses at most 4\.9 points .* on 795 test requests; what it saves cannot be said/,
    );
  });
});
