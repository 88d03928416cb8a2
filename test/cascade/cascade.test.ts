import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CascadeStep, keptFrom, skipAt } from '../../router/cascade/index.ts';

const PATH: CascadeStep[] = [
  { accept: -0.1, skip: -0.3 },
  { accept: 0, skip: 0.2 },
  { accept: 0.25, skip: 0.999 },
];
const cascade = { path: PATH };

describe('skipAt', () => {
  it.each([
    [-1, -0.3],
    [-0.1, -0.3],
    [-0.001, -0.3],
    [0, 0.2],
    [0.249, 0.2],
    [0.25, 0.999],
    [1, 0.999],
  ])('at %f the limit is %f', (accept, skip) => {
    expect(skipAt(cascade, accept)).toBe(skip);
  });
});

describe('keptFrom', () => {
  it('is the least accept level at which both limits keep the request', () => {
    const loss = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(loss, loss, loss, (promptLoss, replyLoss, accept) => {
        const kept = promptLoss <= skipAt(cascade, accept) && replyLoss <= accept;
        expect(keptFrom(cascade, promptLoss, replyLoss) <= accept).toBe(kept);
      }),
    );
  });

  it('counts an unknown reply as kept as soon as the prompt is not skipped', () => {
    const loss = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(loss, loss, (promptLoss, accept) => {
        expect(keptFrom(cascade, promptLoss) <= accept).toBe(promptLoss <= skipAt(cascade, accept));
      }),
    );
  });

  it('is infinite for a text that cannot be read', () => {
    expect(keptFrom(cascade, 1, -1)).toBe(Number.POSITIVE_INFINITY);
  });
});
