import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showsHarness } from '../../router/prompt/known-shapes.ts';
import { personAsk } from '../../router/prompt/person-ask.ts';
import { routedText } from '../../router/prompt/routed-text.ts';
import type { ContentPart, Message } from '../../router/types.ts';
import { scaled } from '../helpers/long-run.ts';
import { harnessLike } from './harness-pieces.ts';

/** An empty text beside it changes nothing but that every shape is looked for. */
const searched = (text: string): string => personAsk(['', text]).text;

const textPart = (text: string): ContentPart => ({ type: 'text', text });
const content = fc.oneof(harnessLike, fc.array(harnessLike.map(textPart), { maxLength: 3 }));
const message = fc.record({
  role: fc.constantFrom('user', 'user', 'human', 'assistant', 'system', 'tool'),
  content,
});

/** The same messages with an empty text part before each text. */
function searchedThrough(messages: readonly Message[]): readonly Message[] {
  return messages.map(({ role, content }) => {
    const parts = typeof content === 'string' ? [textPart(content)] : (content ?? []);
    return { role, content: [textPart(''), ...parts] };
  });
}

function outcome(messages: readonly Message[]): string {
  try {
    return routedText({ messages });
  } catch (error) {
    return String(error);
  }
}

describe('the signs of a harness', () => {
  it('are shown by every text that loses something', () => {
    fc.assert(
      fc.property(harnessLike, (text) => {
        expect(personAsk([text])).toEqual(personAsk(['', text]));
        if (searched(text) !== text.trim()) expect(showsHarness(text.trim())).toBe(true);
      }),
      { numRuns: scaled(20_000) },
    );
  });

  it('spare a search and change no result, whatever the messages', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        expect(outcome(messages)).toBe(outcome(searchedThrough(messages)));
      }),
      { numRuns: scaled(5_000) },
    );
  });

  it('are rare in what people write', () => {
    const lines = readFileSync('training-data/everyday-english.jsonl', 'utf8').trimEnd().split('\n');
    const prompts = lines
      .map((line) => JSON.parse(line).prompt)
      .filter((prompt) => typeof prompt === 'string');
    for (const prompt of prompts) expect(personAsk([prompt])).toEqual(personAsk(['', prompt]));
    const plain = prompts.filter((prompt) => !showsHarness(prompt.trim()));
    expect(plain.length).toBeGreaterThan(0.98 * prompts.length);
  });
});
