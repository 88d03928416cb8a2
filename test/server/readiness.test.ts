import { expect, test } from 'vitest';
import type { RouterParts } from '../../router/artifact-router.ts';
import { createOnnxClassifier } from '../../router/classifier/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { healthSchema, indexSchema, readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { get, post, type Serving, serving } from './serving.ts';

async function withServer(server: Serving, check: (server: Serving) => Promise<void>): Promise<void> {
  try {
    await check(server);
  } finally {
    await server.close();
  }
}

test('/healthz, /readyz and / have their documented shapes', async () => {
  await withServer(await serving(), async ({ url }) => {
    const [health, ready, index] = await Promise.all(
      ['/healthz', '/readyz', '/'].map((path) => get(url + path)),
    );
    expect(() => healthSchema.parse(health!.body)).not.toThrow();
    expect(() => indexSchema.parse(index!.body)).not.toThrow();
    expect(readinessSchema.parse(ready!.body)).toMatchObject({
      status: 'ready',
      ladder: [
        { candidate: 'cheap', model: 'tiny-cheap-1', learned_from: 'tiny-cheap-1' },
        { candidate: 'strong', model: 'tiny-strong-1', learned_from: 'tiny-strong-1' },
      ],
      policies: ['default', 'always-strong'],
      verdict: { status: 'PASS', suite: 'made-up-suite', why: null },
      reload: null,
    });
  });
});

test('HEAD gets the response of GET, without a body', async () => {
  await withServer(await serving(), async ({ url }) => {
    const head = await get(`${url}/readyz`, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, undefined]);
  });
});

test('a router that serves other models than it learned from says so everywhere', async () => {
  await withServer(await serving({ config: { ladder: { cheap: 'other-model' } } }), async ({ url, log }) => {
    const decision = await post(`${url}/v1/route`, { prompt: 'What is the capital of France?' });
    expect(decision.body).toMatchObject({ model: 'other-model', stale: true });
    expect((await get(`${url}/readyz`)).body).toMatchObject({ stale: true });
    expect(log.join('')).toContain(
      'learned on tiny-cheap-1, tiny-strong-1; serves other-model, tiny-strong-1',
    );
  });
});

test('each profile has its own ladder and verdict: stale only where it serves other models', async () => {
  const { profiles } = configSchema.parse({
    profiles: { same: {}, other: { ladder: { strong: 'other-model' } } },
  });
  await withServer(await serving({ config: { profiles } }), async ({ url }) => {
    const ready = readinessSchema.parse((await get(`${url}/readyz`)).body);
    expect(ready).toMatchObject({ stale: false, verdict: { status: 'PASS' } });
    expect(ready.profiles).toMatchObject({
      same: { ladder: ready.ladder, stale: false, verdict: { status: 'PASS', why: null } },
      other: {
        ladder: [
          ready.ladder[0],
          { candidate: 'strong', model: 'other-model', learned_from: 'tiny-strong-1' },
        ],
        stale: true,
        verdict: { status: 'stale', suite: 'made-up-suite' },
      },
    });
  });
});

/** A classifier of the real kind, whose session can be taken away while it serves. */
function breakable(): RouterParts & { breakNow(): Promise<void> } {
  let breakNow = async () => {};
  return {
    breakNow: () => breakNow(),
    openClassifier: async (...parts) => {
      const classifier = await createOnnxClassifier(...parts);
      breakNow = () => classifier.close();
      return { ...classifier, close: async () => {} };
    },
  };
}

test('a classifier that fails while serving escalates, is counted, and makes the server unready', async () => {
  const parts = breakable();
  await withServer(await serving(parts), async ({ url, log }) => {
    const prompt = 'a prompt with xyzzy in it';
    expect((await post(`${url}/v1/route`, { prompt })).body.reason).not.toBe('classifier-failed');
    await parts.breakNow();
    const { status, body } = await post(`${url}/v1/route`, { prompt, explain: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ candidate: 'strong', escalated: true, reason: 'classifier-failed' });
    expect(body).toMatchObject({ scores: null, predicted_loss: null, explanation: null });
    const ready = await get(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(readinessSchema.parse(ready.body)).toMatchObject({
      status: 'golden-failed',
      decisions: 2,
      classifier_failures: 1,
      last_failure: { message: 'The classifier is closed.' },
    });
    expect(log.join('')).toContain('the classifier fails');
    expect(log.join('')).not.toContain('xyzzy');
    const fixed = await post(`${url}/v1/route`, { prompt, policy: 'always-strong' });
    expect(fixed.body.reason).toBe('fixed-policy');
  });
});

test('a failing classifier is logged once in a while, not once a request', async () => {
  const parts = breakable();
  await withServer(await serving(parts), async ({ url, log }) => {
    await parts.breakNow();
    await post(`${url}/v1/route/batch`, { requests: Array(50).fill({ prompt: 'x' }) });
    expect(log.filter((line) => line.includes('the classifier fails'))).toHaveLength(1);
  });
});

test('golden cases take turns, and one that comes out wrong makes the server unready', async () => {
  const asked: (number | undefined)[] = [];
  const server = await serving({
    wrap: (router) => ({
      ...router,
      checkGolden: async (index) => {
        asked.push(index);
        return index !== 2 && router.checkGolden(index);
      },
    }),
  });
  await withServer(server, async ({ url }) => {
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await get(`${url}/readyz`)).status);
    expect(asked).toEqual([0, 1, 2, 3]);
    expect(statuses).toEqual([200, 200, 503, 200]);
  });
});
