import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { compileRules } from '../../router/rules/compile-rules.ts';
import type { RequestTraits } from '../../router/rules/index.ts';
import { createDecisionMetrics } from '../../router/telemetry/index.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { tinyConfig } from '../server/serving.ts';

const SQL =
  'Write an SQL query that counts the orders of each customer since January, joining orders and customers.';
const TRANSLATION = 'Translate "the train is late" into Spanish.';

function traitsOf(text: string, task?: string): RequestTraits {
  return {
    model: 'auto',
    isExplicit: false,
    task,
    tags: [],
    keyId: undefined,
    headers: {},
    text: () => text,
    needs: () => ({ tools: false, images: false, inputTokens: 10 }),
  };
}

const RULES = [{ name: 'queries', when: { task: 'sql' }, at_least: 'strong' }];

describe('a rule on a task', () => {
  const firing = async (tasks: unknown, text: string, task?: string, rules: unknown = RULES) => {
    const router = await createRouter(configSchema.parse({ rules, tasks }));
    const { rule } = router.ruled(traitsOf(text, task));
    await router.close();
    return rule?.name;
  };

  test('fires on what the client says, else on what the text is predicted to be', async () => {
    expect(await firing('on', SQL)).toBe('queries');
    expect(await firing('on', TRANSLATION)).toBeUndefined();
    expect(await firing('on', SQL, 'chat')).toBeUndefined(); // the client knows
    expect(await firing('on', TRANSLATION, 'sql')).toBe('queries');
  });

  test('fires on the word of the client alone if tasks are off', async () => {
    expect(await firing('off', SQL)).toBeUndefined();
    expect(await firing('off', TRANSLATION, 'sql')).toBe('queries');
  });

  test('may ask for a probability, which no word of a client lacks', async () => {
    const sure = (task_probability: number) => [
      { name: 'queries', when: { task: 'sql', task_probability }, at_least: 'strong' },
    ];
    expect(await firing('on', SQL, undefined, sure(0.3))).toBe('queries');
    expect(await firing('on', SQL, undefined, sure(1))).toBeUndefined();
    expect(await firing('on', TRANSLATION, 'sql', sure(1))).toBe('queries');
  });

  test('a probability without a task is an error, and a rule behind a wider one is found', async () => {
    const parse = (rules: unknown) => configSchema.parse({ rules }).rules;
    expect(() => parse([{ name: 'a', when: { task_probability: 0.5 }, use: 'cheap' }])).toThrow(
      /none is named/,
    );
    const pair = (first: number, second: number) =>
      compileRules(
        parse([
          { name: 'a', when: { task: 'sql', task_probability: first }, use: 'cheap' },
          { name: 'b', when: { task: 'sql', task_probability: second }, use: 'cheap' },
        ]),
        { ladders: [{ candidates: ['cheap', 'strong'] }], profiles: [] },
      );
    await expect(pair(0.3, 0.5)).rejects.toThrow(/"b" can never fire/);
    expect((await pair(0.5, 0.3)).all).toHaveLength(2);
  });
});

describe('specialists', () => {
  const parsed = (tasks: unknown) =>
    configSchema.parse({ ladder: { cheap: { for: ['translation'] } }, tasks });
  const candidateFor = async (tasks: unknown, prompt: string, task?: string) => {
    const { specialists, tasks: settings } = parsed(tasks);
    const config = await tinyConfig({ config: { specialists, tasks: settings, allowUngated: true } });
    const router = await createRouter({ ...config, policies: { all: { threshold: 0.99, version: 1 } } });
    const { candidate, verdict, predictedTask } = await router.route(
      { prompt },
      { policy: 'all', ...(task !== undefined && { task }) },
    );
    const competing = router.competingTask({ prompt }, {});
    await router.close();
    return { candidate, verdict, predicted: predictedTask?.task, competing };
  };

  test('compete by the predicted task only if the configuration says so', async () => {
    const predicted = { specialists: 'predicted' };
    expect(await candidateFor('on', TRANSLATION)).toMatchObject({
      candidate: 'strong',
      competing: undefined,
    });
    expect(await candidateFor(predicted, TRANSLATION)).toMatchObject({
      candidate: 'cheap',
      predicted: 'translation',
      competing: 'translation',
    });
    expect(await candidateFor(predicted, SQL)).toMatchObject({ candidate: 'strong' });
    expect(await candidateFor(predicted, TRANSLATION, 'chat')).toMatchObject({ candidate: 'strong' });
  });
});

describe('what is told', () => {
  test('a task model that is not there stops the start, and names its folder', async () => {
    const folder = path.join(scratchFolder(), 'none');
    const config = configSchema.parse({ tasks: { model: folder } });
    await expect(createRouter(config)).rejects.toThrow(folder);
  });

  test('decisions are counted by the predicted task, from a closed list', async () => {
    const router = await createRouter(configSchema.parse({ tasks: 'on' }));
    const metrics = createDecisionMetrics(router);
    for (const prompt of [SQL, SQL, TRANSLATION])
      metrics.decided(await router.route({ prompt }, { task: 'whatever-the-client-says' }));
    const text = await metrics.exposition();
    await router.close();
    const counted = text.split('\n').filter((line) => line.startsWith('plimsoll_task_decisions_total{'));
    expect(counted.join('\n')).toMatch(/task="sql",candidate="\w+",verdict="\w+"\} 2/);
    expect(counted.join('\n')).not.toContain('whatever');
  });
});
