import { expect, test } from 'vitest';
import type { RouterParts } from '../../router/artifact-router.ts';
import { createOnnxClassifier } from '../../router/classifier/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { reloadingRouter } from '../../router/reload.ts';
import type { Router } from '../../router/router.ts';
import { gate, tinyConfig } from '../server/serving.ts';

const PROMPT = { prompt: 'What is the capital of France?' };
const CLOSED = { code: 'closed', message: expect.stringMatching(/^The router is closed/) };

/** The real classifier, whose scores wait for a gate once the golden cases are through. */
function slowParts() {
  const { opened, open } = gate();
  let waits = false;
  const events: string[] = [];
  const parts: RouterParts = {
    openClassifier: async (...args) => {
      const classifier = await createOnnxClassifier(...args);
      return {
        ...classifier,
        async scoreForDecision(text) {
          if (waits) await opened;
          events.push('scored');
          return classifier.scoreForDecision(text);
        },
        async close() {
          events.push('closed');
          await classifier.close();
        },
      };
    },
  };
  return {
    parts,
    open,
    events,
    wait() {
      events.length = 0;
      waits = true;
    },
  };
}

async function expectClosed(router: Router): Promise<void> {
  await expect(router.route(PROMPT)).rejects.toMatchObject(CLOSED);
  await expect(router.explain(PROMPT)).rejects.toMatchObject(CLOSED);
  await expect(router.route(PROMPT, { policy: 'always-strong' })).rejects.toMatchObject(CLOSED);
}

test('a closed router rejects, however often it is closed', async () => {
  const router = await createRouter(await tinyConfig());
  await router.close();
  await expectClosed(router);
  await router.close();
  await expectClosed(router);
  expect(router.health()).toMatchObject({ decisions: 0, classifierFailures: 0 });
});

test('what is in flight is decided by the classifier before it closes', async () => {
  const slow = slowParts();
  const router = await createRouter(await tinyConfig(), slow.parts);
  slow.wait();
  const inFlight = [router.route(PROMPT), router.explain(PROMPT).then(({ decision }) => decision)];
  const closed = router.close();
  await expectClosed(router);
  expect(slow.events).toEqual([]);
  slow.open();
  for (const decision of await Promise.all(inFlight)) {
    expect(decision).toMatchObject({ reason: 'within-threshold', verdict: 'PASS' });
  }
  await closed;
  expect(slow.events).toEqual(['scored', 'scored', 'closed']);
});

test('a request that fails does not hold up close', async () => {
  const router = await createRouter(await tinyConfig());
  const refused = router.route({ prompt: '' });
  const closed = router.close();
  await expect(refused).rejects.toMatchObject({ code: 'invalid-input' });
  await closed;
});

test('while a reload swaps, what is in flight ends on the router that it began on; then close rejects', async () => {
  const slow = slowParts();
  const config = await tinyConfig();
  const parts = [slow.parts, {}];
  const router = await reloadingRouter(() => createRouter(config, parts.shift()));
  slow.wait();
  const inFlight = router.route(PROMPT);
  expect((await router.reload()).ok).toBe(true);
  expect((await router.route(PROMPT)).verdict).toBe('PASS');
  expect(slow.events).toEqual([]);
  const closed = router.close();
  await expectClosed(router);
  slow.open();
  expect(await inFlight).toMatchObject({ reason: 'within-threshold', verdict: 'PASS' });
  await closed;
  expect(slow.events).toEqual(['scored', 'closed']);
});

test('from the call of close on, also while a reload is still opening', async () => {
  const config = await tinyConfig();
  const { opened, open } = gate();
  const router = await reloadingRouter(() => createRouter(config));
  const reload = router.reload(async () => {
    await opened;
    return createRouter(config);
  });
  const closed = router.close();
  await expectClosed(router);
  open();
  await Promise.all([reload, closed]);
  await expectClosed(router);
});
