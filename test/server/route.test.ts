import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { batchResponseSchema, decisionSchema } from '../../router/openapi/decision-schemas.ts';
import { type TinyArtifact, tinyArtifact } from '../helpers/tiny-artifact.ts';
import { post, type Serving, serving } from './serving.ts';

let server: Serving;
let artifact: TinyArtifact;

beforeAll(async () => {
  artifact = await tinyArtifact();
  server = await serving({
    server: { maxBatch: 20 },
    config: { allowUngated: true, policies: { thrifty: { threshold: 1, version: 3 } } },
  });
});
afterAll(() => server.close());

const route = (body: unknown) => post(`${server.url}/v1/route`, body);
const batch = (body: unknown) => post(`${server.url}/v1/route/batch`, body);

describe('POST /v1/route', () => {
  test('sends easy wording to the cheap model and hard wording to the strong one', async () => {
    const easy = await route({ prompt: artifact.easy[0] });
    const hard = await route({ prompt: artifact.hard[0] });
    expect(easy.status).toBe(200);
    expect(easy.body).toMatchObject({ model: 'tiny-cheap-1', candidate: 'cheap', escalated: false });
    expect(easy.body.reason).toBe('within-threshold');
    expect(hard.body).toMatchObject({ model: 'tiny-strong-1', candidate: 'strong', escalated: true });
    expect(hard.body.reason).toBe('over-threshold');
    expect(hard.body.predicted_loss).toBeGreaterThan(hard.body.threshold);
  });

  test('responds in the documented shape, and names policy and artifact', async () => {
    const { body } = await route({ prompt: 'Hello' });
    expect(() => decisionSchema.parse(body)).not.toThrow();
    expect(body.policy).toMatchObject({ name: 'default', version: 1 });
    expect(body.artifact).toEqual({ name: 'tiny', sha256: server.router.artifact.sha256 });
    expect(body.stale).toBe(false);
  });

  test.each([
    ['Thai', 'จงพิสูจน์ทฤษฎีบทสุดท้ายของแฟร์มา'],
    ['Tamil', 'ஃபெர்மாவின் தேற்றத்தை நிரூபிக்கவும்'],
    ['Amharic', 'ፈርማት ቲዎረምን አረጋግጥ'],
    ['Armenian', 'Ապացուցեք Ֆերմայի թեորեմը'],
    ['mostly unknown Chinese characters', '用过的水壶可以退货吗？请证明费马大定理'],
    ['emoji alone', '🙏🏽🚀🔥'],
    ['Khmer with a Latin word', 'តើ API នេះដំណើរការយ៉ាងដូចម្តេច ហើយហេតុអ្វី សូមពន្យល់'],
  ])('escalates %s, which the vocabulary cannot read', async (_, prompt) => {
    const { body } = await route({ prompt, policy: 'thrifty' });
    expect(body).toMatchObject({
      candidate: 'strong',
      reason: 'unreadable',
      scores: null,
      predicted_loss: null,
    });
    expect(() => decisionSchema.parse(body)).not.toThrow();
  });

  test.each([
    'Как доказать теорему Ферма?',
    '페르마의 정리를 증명하라',
    'Απόδειξε το θεώρημα',
    'Prove ∀x∈ℝ: x² ≥ 0.',
    '12 × 7 = ?',
  ])('scores %s', async (prompt) => {
    const { body } = await route({ prompt });
    expect(body.reason).toMatch(/^(within|over)-threshold$/);
  });

  test('gives the same scores for the same input, and another id', async () => {
    const [first, second] = await Promise.all([route({ prompt: 'Why?' }), route({ prompt: 'Why?' })]);
    expect(second.body.scores).toEqual(first.body.scores);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test('reads messages in the shapes of OpenAI and Anthropic alike', async () => {
    const text = artifact.hard[1]!;
    const [plain, openAi, anthropic] = await Promise.all([
      route({ prompt: text }),
      route({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: text, name: 'ada' },
        ],
      }),
      route({
        messages: [
          { role: 'assistant', content: null, tool_calls: [{ id: 'call_1' }] },
          {
            role: 'user',
            content: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }, { type: 'image' }],
          },
        ],
      }),
    ]);
    expect(openAi.body.scores).toEqual(plain.body.scores);
    expect(anthropic.body.scores).toEqual(plain.body.scores);
  });

  test('takes the policy that the request names', async () => {
    const prompt = artifact.hard[0];
    const [cheap, strong, thrifty] = await Promise.all(
      ['always-cheap', 'always-strong', 'thrifty'].map((policy) => route({ prompt, policy })),
    );
    expect(cheap!.body).toMatchObject({ candidate: 'cheap', reason: 'fixed-policy', scores: null });
    expect(strong!.body).toMatchObject({ candidate: 'strong', threshold: null, predicted_loss: null });
    expect(thrifty!.body).toMatchObject({ candidate: 'cheap', policy: { name: 'thrifty', version: 3 } });
  });

  test('explains: contributions sum to the logit, and its logistic function is the score', async () => {
    for (const prompt of [artifact.easy[2]!, artifact.hard[2]!, 'Grüße, 世界! 1 + 1 = 2?']) {
      const { body } = await route({ prompt, explain: true });
      expect(() => decisionSchema.parse(body)).not.toThrow();
      for (const [candidate, score] of Object.entries<number>(body.scores)) {
        const { logit } = body.explanation[candidate];
        expect(sumOf(body.explanation[candidate])).toBeCloseTo(logit, 5);
        expect(Math.abs(1 / (1 + Math.exp(-logit)) - score)).toBeLessThan(1e-5);
      }
    }
  });

  test('explains nothing unless asked', async () => {
    const { body } = await route({ prompt: 'Hello', explain: false });
    expect(body).not.toHaveProperty('explanation');
  });

  test('decides on NUL, lone surrogates and a field named __proto__ inside a message', async () => {
    const bodies = [
      { prompt: 'a\0b' },
      '{"prompt":"\\ud800 lone \\udfff"}',
      '{"messages":[{"role":"user","content":"hi","__proto__":{"x":1}}]}',
    ];
    for (const body of bodies) expect((await route(body)).status).toBe(200);
  });
});

/** Intercept and every contribution of an explanation, whatever its lists are called. */
function sumOf({ logit: _, intercept, embedding = 0, ...lists }: Explanation): number {
  const contributions = Object.values(lists).flat();
  return contributions.reduce((sum, { contribution }) => sum + contribution, intercept + embedding);
}

type Explanation = NonNullable<NonNullable<z.infer<typeof decisionSchema>['explanation']>[string]>;

describe('POST /v1/route/batch', () => {
  test('decides in order, and an item that is wrong fails alone', async () => {
    const { status, body } = await batch({
      requests: [
        { prompt: artifact.easy[0] },
        { prompt: ' ' },
        { prompt: artifact.hard[0] },
        { prompt: 'x', colour: 'red' },
        { prompt: 'x', policy: 'none' },
        7,
      ],
    });
    expect(status).toBe(200);
    expect(() => batchResponseSchema.parse(body)).not.toThrow();
    const [easy, blank, hard, unknown, policy, number] = body.decisions;
    expect(easy.candidate).toBe('cheap');
    expect(hard.candidate).toBe('strong');
    expect(blank.error).toMatchObject({ param: 'prompt', code: 'invalid_input' });
    expect(unknown.error).toMatchObject({ param: 'colour', code: 'unknown_field' });
    expect(policy.error).toMatchObject({ param: 'policy', code: 'not_found' });
    expect(number.error).toMatchObject({ param: null, code: 'invalid_field' });
  });

  test('names the field that a mistyped one may mean, of the batch and of its items', async () => {
    const whole = await batch({ request: [{ prompt: 'x' }], requests: [{ prompt: 'x' }] });
    expect(whole.body.error.message).toContain('Did you mean "requests"?');
    const { body } = await batch({ requests: [{ prompt: 'x', polcy: 'y' }] });
    expect(body.decisions[0].error.message).toContain('Did you mean "policy"?');
  });

  test("uses the batch's policy if an item names none", async () => {
    const prompt = artifact.easy[0];
    const { body } = await batch({
      policy: 'always-strong',
      requests: [{ prompt }, { prompt, policy: 'always-cheap' }],
    });
    expect(body.decisions.map((d: { candidate: string }) => d.candidate)).toEqual(['strong', 'cheap']);
  });

  test('gives each text the decision that it gets alone', async () => {
    const texts = [...artifact.easy.slice(0, 10), ...artifact.hard.slice(0, 10)];
    const { body } = await batch({ requests: texts.map((prompt) => ({ prompt })) });
    const alone = await Promise.all(texts.map((prompt) => route({ prompt })));
    expect(body.decisions.map((d: { scores: unknown }) => d.scores)).toEqual(alone.map((a) => a.body.scores));
  });

  test('refuses an empty batch with 400 and so a longer one than max_batch', async () => {
    const empty = await batch({ requests: [] });
    const long = await batch({ requests: Array(21).fill({ prompt: 'x' }) });
    expect([empty.status, empty.body.error.param]).toEqual([400, 'requests']);
    expect([long.status, long.body.error.param]).toEqual([400, 'requests']);
    expect(long.body.error.code).toBe('too_many_entries');
  });
});
