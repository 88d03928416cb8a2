import { describe, expect, it } from 'vitest';
import { candidatesFor } from '../../router/fallback/candidates.ts';
import { model } from './fallback-script.ts';

const small = model('a/small');
const middle = model('a/middle');
const large = model('a/large');
const smallEqual = model('b/small');
const largeEqual = model('b/large');
const ladder = [small, middle, large];
const fallbacks = { 'a/small': [smallEqual], 'a/large': [largeEqual] };

function names(choice: Partial<Parameters<typeof candidatesFor>[0]>): string[] {
  return candidatesFor({ rung: 0, ladder, fallbacks, fits: () => true, ...choice }).map(({ name }) => name);
}

describe('candidatesFor', () => {
  it('asks the routed model, its equals, then stronger rungs and theirs', () => {
    expect(names({ rung: 0 })).toEqual(['a/small', 'b/small', 'a/middle', 'a/large', 'b/large']);
  });

  it('escalates where the cheap model has no equal', () => {
    expect(names({ rung: 0, fallbacks: {} })).toEqual(['a/small', 'a/middle', 'a/large']);
  });

  it('goes from the strongest to its equals and never down', () => {
    expect(names({ rung: 2 })).toEqual(['a/large', 'b/large']);
    expect(names({ rung: 2, fallbacks: {} })).toEqual(['a/large']);
  });

  it('goes down last where that is allowed, the strongest first', () => {
    expect(names({ rung: 2, allowDowngrade: true })).toEqual([
      'a/large',
      'b/large',
      'a/middle',
      'a/small',
      'b/small',
    ]);
  });

  it('names nobody twice and keeps the first place', () => {
    const shared = { 'a/small': [large, smallEqual], 'a/large': [smallEqual, large] };
    expect(names({ fallbacks: shared })).toEqual(['a/small', 'a/large', 'b/small', 'a/middle']);
  });

  it('leaves out what does not fit', () => {
    const fits = ({ name }: { name: string }) => name !== 'a/small' && name !== 'a/large';
    expect(names({ fits })).toEqual(['b/small', 'a/middle', 'b/large']);
  });

  it('goes down only if that is allowed, though nothing else fits', () => {
    const fits = ({ name }: { name: string }) => name === 'a/small';
    expect(names({ rung: 1, fits })).toEqual([]);
    expect(names({ rung: 1, fits, allowDowngrade: true })).toEqual(['a/small']);
  });

  it('is empty where nothing fits', () => {
    expect(names({ fits: () => false, allowDowngrade: true })).toEqual([]);
  });
});
