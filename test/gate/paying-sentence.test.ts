import { describe, expect, it } from 'vitest';
import { payingSentence } from '../../evals/gate/index.ts';

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
