import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modelNotFound, nearestModels } from '../../router/catalog/unknown-model.ts';
import { nearestName } from '../../router/nearest-name.ts';

const NAMES = ['auto', 'openai/gpt-4o', 'openai/gpt-4o-mini', 'azure/gpt-4o', 'anthropic/claude-haiku-4-5'];

test.each([
  ['openai/gpt-4', ['openai/gpt-4o', 'azure/gpt-4o']],
  ['gpt-4o', ['openai/gpt-4o', 'azure/gpt-4o']],
  ['GPT-4o-mini', ['openai/gpt-4o-mini']],
  ['bedrock/gpt-4o', ['openai/gpt-4o', 'azure/gpt-4o']],
  ['claude-haiku-4.5', ['anthropic/claude-haiku-4-5']],
  ['autp', ['auto']],
  ['something-else-entirely', []],
])('the models near %s', (wanted, near) => {
  expect(nearestModels(wanted, NAMES).slice(0, near.length || 1)).toEqual(near);
});

test('a model is near itself first, and its id is near it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), (name) => {
      expect(nearestModels(name, NAMES)[0]).toBe(name);
      expect(nearestModels(name.slice(name.indexOf('/') + 1), NAMES)).toContain(name);
      expect(nearestName(name, NAMES)).toBe(name);
    }),
  );
});

test('whatever is asked for, the error is bounded and printable', () => {
  const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.string({ maxLength: 2_000 }));
  fc.assert(
    fc.property(anything, (wanted) => {
      const { message } = modelNotFound(wanted, NAMES);
      expect(message.length).toBeLessThan(400);
      expect(message).not.toMatch(/[\p{C}\u2028\u2029]/u);
      expect(message).toContain('GET /v1/models lists all 5.');
    }),
  );
});
