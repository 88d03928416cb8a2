import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wellFormed } from '../../router/prompt/text-limits.ts';

it('replaces NUL and lone surrogates and nothing else', () => {
  const unit = fc.oneof(fc.constantFrom(0, 0xd83d, 0xde00), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(unit), (units) => {
      const text = String.fromCharCode(...units);
      expect(wellFormed(text)).toBe(text.replace(/[\0\p{Surrogate}]/gu, '\ufffd'));
    }),
    { numRuns: 2_000 },
  );
});
