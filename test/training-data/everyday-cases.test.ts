import { describe, expect, it } from 'vitest';
import { TIER_TASKS, TIERS } from '../../evals/cases/authored-cases.ts';
import { everydayCases } from './data-card.ts';

const { english, multilingual, heldOut } = everydayCases();
const all = [...english, ...multilingual, ...heldOut];

describe('the everyday cases that ship', () => {
  it('are at least 2,500 with ids of their own', () => {
    expect(all.length).toBeGreaterThanOrEqual(2500);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('are English in one file and at least twelve other languages in the other', () => {
    expect(new Set(english.map(({ language }) => language))).toEqual(new Set(['en']));
    const others = new Set(multilingual.map(({ language }) => language));
    expect(others.has('en')).toBe(false);
    expect(others.size).toBeGreaterThanOrEqual(12);
  });

  it('all have text to score, and no text twice', () => {
    expect(all.filter(({ text }) => text.trim() === '')).toEqual([]);
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
  });

  it.each(TIER_TASKS)('%s has cases of both tiers', (task) => {
    const tiers = new Set(all.filter((one) => one.task === task).map(({ tier }) => tier));
    expect(tiers).toEqual(new Set(TIERS));
  });

  it.each(TIER_TASKS)('a fifth of %s is held out, both tiers among it', (task) => {
    const ofTask = heldOut.filter((one) => one.task === task);
    expect(new Set(ofTask.map(({ tier }) => tier))).toEqual(new Set(TIERS));
    const share = ofTask.length / all.filter((one) => one.task === task).length;
    expect(share).toBeGreaterThan(0.16);
    expect(share).toBeLessThan(0.27);
  });

  it('hold both tiers in every language', () => {
    const pairs = new Set(all.map(({ language, tier }) => `${language} ${tier}`));
    expect(pairs.size).toBe(new Set(all.map(({ language }) => language)).size * TIERS.length);
  });
});
