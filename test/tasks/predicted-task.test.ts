import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';

const PROMPT = { prompt: 'Translate "the train is late" into Spanish.' };

test('with tasks on a decision says which task it is, and decides as without', async () => {
  const [on, off] = await Promise.all(
    ['on', 'off'].map((tasks) => createRouter(configSchema.parse({ tasks }))),
  );
  const [told, plain] = [await on!.route(PROMPT), await off!.route(PROMPT)];
  expect(told.predictedTask).toEqual({ task: 'translation', probability: expect.any(Number) });
  expect(plain).not.toHaveProperty('predictedTask');
  expect([told.scores, told.reason, told.verdict]).toEqual([plain.scores, plain.reason, plain.verdict]);
  const picture = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] };
  expect(await on!.route(picture)).not.toHaveProperty('predictedTask');
  await Promise.all([on!.close(), off!.close()]);
});
