import { describe, expect, it } from 'vitest';
import {
  cascadeSentence,
  ladderSentence,
  payingSentence,
  underVerdict,
} from '../../evals/gate/paying-sentence.ts';

const paying = {
  apgr: 0.65,
  cpt80: 0.6,
  interval: { low: 0.6, high: 0.7 },
  quality: { cheap: 0.5, strong: 0.8 },
};

describe('payingSentence', () => {
  it('says that routing pays, and by how much', () => {
    expect(payingSentence(paying)).toEqual({
      routing_pays: true,
      conclusion:
        "Routing pays here: 80 % of the strong model's gain takes 60 % of the calls (random: 80 %; APGR 0.650, 95 % interval 0.600 to 0.700).",
    });
  });

  it.each([
    ['APGR', (({ apgr, ...rest }) => rest)(paying)],
    ['CPT80', (({ cpt80, ...rest }) => rest)(paying)],
    ['the interval', (({ interval, ...rest }) => rest)(paying)],
  ])('says that it cannot be said where %s is undefined', (_, measured) => {
    const { routing_pays, conclusion } = payingSentence(measured);
    expect(routing_pays).toBe(false);
    expect(conclusion).toMatch(/^Whether routing pays cannot be said/);
  });

  it.each([0.5, 0.45])('does not pay where the interval reaches down to chance (%d)', (low) => {
    const { routing_pays, conclusion } = payingSentence({ ...paying, interval: { low, high: 0.7 } });
    expect(routing_pays).toBe(false);
    expect(conclusion).toContain('cannot be told from random escalation (APGR 0.650');
  });

  it('does not pay where it saves less than two points of the calls', () => {
    const { routing_pays, conclusion } = payingSentence({ ...paying, cpt80: 0.79 });
    expect(routing_pays).toBe(false);
    expect(conclusion).toContain('takes 79 % of the calls');
    expect(payingSentence({ ...paying, cpt80: 0.775 }).routing_pays).toBe(true);
  });

  it.each([
    [0.65, true],
    [0.7, true],
    [0.64, false],
  ])('names the table from task to model where it is as good (APGR %d: %s)', (apgr, named) => {
    const { routing_pays, conclusion } = payingSentence({ ...paying, task_label: { apgr } });
    expect(routing_pays).toBe(true);
    expect(
      conclusion.includes(`A table from task label to model does as well (APGR ${apgr.toFixed(3)})`),
    ).toBe(named);
  });

  it('says nothing of a table whose APGR is undefined', () => {
    expect(payingSentence({ ...paying, task_label: {} })).toEqual(payingSentence(paying));
  });
});

describe('ladderSentence', () => {
  it.each([
    [
      0.01,
      0.03,
      true,
      /^Routing pays here: its quality is above .* \(\+0\.0200, 95 % interval \+0\.0100 to \+0\.0300\)\.$/,
    ],
    [-0.01, 0.03, false, /^Routing does not pay here: it cannot be told from a mix/],
    [-0.03, -0.01, false, /^Routing does not pay here: a mix .* is better .*-0\.0300 to -0\.0100/],
  ])('from %d to %d above the mix: pays %s', (low, high, pays, words) => {
    const said = ladderSentence({ excess: (low + high) / 2, interval: { low, high } });
    expect(said.routing_pays).toBe(pays);
    expect(said.conclusion).toMatch(words);
  });
});

describe('underVerdict', () => {
  const pays = { routing_pays: true, conclusion: 'Routing pays here.' };
  const condition = (name: string, verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE') => ({ name, verdict });

  it('adds nothing under a PASS, nor where routing does not pay', () => {
    expect(underVerdict(pays, [condition('a', 'PASS')])).toBe('Routing pays here.');
    expect(underVerdict({ routing_pays: false, conclusion: 'No.' }, [condition('a', 'FAIL')])).toBe('No.');
  });

  it('names what is broken, before what is undecided', () => {
    expect(underVerdict(pays, [condition('a', 'INCONCLUSIVE'), condition('b', 'FAIL')])).toMatch(
      /^Routing pays here\. The verdict is FAIL .*: b\.$/,
    );
    expect(underVerdict(pays, [condition('a', 'INCONCLUSIVE'), condition('b', 'PASS')])).toMatch(
      /The verdict is INCONCLUSIVE .*: a\.$/,
    );
  });

  it('names three and counts the others', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => condition(name, 'FAIL'));
    expect(underVerdict(pays, many)).toMatch(/: a, b, c and 2 more\.$/);
  });
});

describe('cascadeSentence', () => {
  const promptAlone = { difference: 0.1, low: 0.06, high: 0.14 };
  const logprobAlone = { difference: 0.02, low: 0.01, high: 0.03 };

  it('pays where it ranks better than the prompt alone, and says by how much', () => {
    expect(cascadeSentence({ apgr: 0.7, promptAlone, logprobAlone })).toEqual({
      routing_pays: true,
      conclusion:
        'A cascade pays here: looking at the cheap reply ranks better than the prompt alone (APGR 0.700, above the prompt alone by +0.1000, 95 % interval +0.0600 to +0.1400).',
    });
  });

  it('names the log-probability alone where that cannot be told from it', () => {
    const { routing_pays, conclusion } = cascadeSentence({
      apgr: 0.7,
      promptAlone,
      logprobAlone: { ...logprobAlone, low: 0 },
    });
    expect(routing_pays).toBe(true);
    expect(conclusion).toContain(
      "A limit on the reply's log-probability alone cannot be told from it (+0.0200",
    );
  });

  it('does not pay where the interval reaches down to 0, nor where APGR is undefined', () => {
    expect(cascadeSentence({ apgr: 0.7, promptAlone: { ...promptAlone, low: 0 } })).toEqual({
      routing_pays: false,
      conclusion: expect.stringContaining('cannot be told from scoring the prompt alone'),
    });
    expect(cascadeSentence({})).toEqual({
      routing_pays: false,
      conclusion: expect.stringMatching(/^Whether a cascade pays cannot be said/),
    });
  });
});
