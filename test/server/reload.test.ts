import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { artifactMark, promote } from '../../router/artifact/index.ts';
import type { RouterParts } from '../../router/artifact-router.ts';
import { createOnnxClassifier } from '../../router/classifier/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { hotReload, reloadingRouter, reloadReport, watchArtifacts } from '../../router/reload.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict } from '../helpers/verdicts.ts';
import { hotServing, tinyStore } from './hot-serving.ts';
import { gate, get, post, tinyConfig } from './serving.ts';

const PROMPT = 'What is the capital of France?';
const REQUESTS_AT_ONCE = 25;

/** Real classifiers, counted as they open and close. */
function counted(): RouterParts & { opened: number; closed: number } {
  const counts = {
    opened: 0,
    closed: 0,
    openClassifier: async (...parts: Parameters<typeof createOnnxClassifier>) => {
      const classifier = await createOnnxClassifier(...parts);
      counts.opened++;
      return {
        ...classifier,
        close: () => {
          counts.closed++;
          return classifier.close();
        },
      };
    },
  };
  return counts;
}

test('under load no request fails while the artifact is exchanged, and what was replaced is closed', async () => {
  const store = await tinyStore('a', 'b');
  promote(store, 'a', new Date());
  const parts = counted();
  const { url, hot } = await hotServing({ artifact: store }, parts);
  const served = new Map<string, number>();
  let sent = 0;
  let reloading = true;

  async function keepAsking(): Promise<void> {
    while (reloading) {
      sent++;
      const { status, body } = await post(`${url}/v1/route`, { prompt: PROMPT });
      expect(status).toBe(200);
      expect(body).toMatchObject({ reason: 'within-threshold', verdict: 'PASS' });
      served.set(body.artifact.name, (served.get(body.artifact.name) ?? 0) + 1);
    }
  }
  async function keepReloading(): Promise<void> {
    for (const name of ['b', 'a', 'b', 'a', 'b']) {
      const before = sent;
      promote(store, name, new Date());
      expect(await hot.router.reload()).toMatchObject({ ok: true, message: `serves ${name}` });
      await vi.waitFor(() => expect(sent).toBeGreaterThan(before + 40), { timeout: 30_000 });
    }
    reloading = false;
  }
  await Promise.all([keepReloading(), ...Array.from({ length: REQUESTS_AT_ONCE }, keepAsking)]);

  expect(sent).toBeGreaterThanOrEqual(200);
  expect([...served.keys()].sort()).toEqual(['a', 'b']);
  expect(parts).toMatchObject({ opened: 6, closed: 5 });
  expect(hot.router.health()).toMatchObject({ decisions: sent, classifierFailures: 0 });
}, 120_000);

test('a request at work ends on the router that it began on, which is closed after it', async () => {
  const store = await tinyStore('a', 'b');
  promote(store, 'a', new Date());
  const { opened: mayScore, open } = gate();
  let held = false;
  const parts = counted();
  const { openClassifier } = parts;
  const { url, hot } = await hotServing(
    { artifact: store },
    {
      openClassifier: async (...given) => {
        const classifier = await openClassifier!(...given);
        const scoreForDecision = async (text: string) => {
          if (text === 'hold') {
            held = true;
            await mayScore;
          }
          return classifier.scoreForDecision(text);
        };
        return { ...classifier, scoreForDecision };
      },
    },
  );
  const slow = post(`${url}/v1/route`, { prompt: 'hold' });
  await vi.waitFor(() => expect(held).toBe(true), { timeout: 10_000 });
  promote(store, 'b', new Date());
  await hot.router.reload();
  const quick = await post(`${url}/v1/route`, { prompt: PROMPT });
  expect(quick.body.artifact.name).toBe('b');
  expect(parts.closed).toBe(0);
  open();
  const { status, body } = await slow;
  expect([status, body.artifact.name, body.scores === null]).toEqual([200, 'a', false]);
  expect(parts.closed).toBe(1);
});

test('if the new artifact is invalid the old one serves on, and log and /readyz say why', async () => {
  const store = await tinyStore('a');
  const folder = path.join(store, 'a');
  const { url, hot, log } = await hotServing({ artifact: folder });
  expect((await get(`${url}/readyz`)).body.reload).toBeNull();
  const golden = path.join(folder, 'golden.json');
  const whole = readFileSync(golden);
  writeFileSync(golden, whole.subarray(1));
  expect(await hot.router.reload()).toMatchObject({ ok: false });
  const ready = await get(`${url}/readyz`);
  expect(ready.status).toBe(200);
  expect(readinessSchema.parse(ready.body).reload).toMatchObject({
    ok: false,
    message: expect.stringContaining('golden.json was changed'),
  });
  const failures = log.filter((line) => line.includes('not reloaded'));
  expect(failures.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'error', code: 'invalid-artifact', message: expect.stringContaining('golden.json') },
  ]);
  expect((await post(`${url}/v1/route`, { prompt: PROMPT })).body.artifact.name).toBe('a');
  writeFileSync(golden, whole);
  await hot.router.reload();
  expect((await get(`${url}/readyz`)).body.reload).toMatchObject({ ok: true, message: 'serves a' });
  expect(log.some((line) => line.includes('reloaded: this serves from now on'))).toBe(true);
});

test('a wrong configuration changes nothing', async () => {
  const config = await tinyConfig();
  const router = await reloadingRouter(() => createRouter(config));
  const reload = await router.reload(() => createRouter({ ...config, ladder: { nobody: 'x' } }));
  expect(reload).toMatchObject({ ok: false, message: expect.stringContaining('ladder.nobody') });
  expect((await router.route({ prompt: PROMPT })).candidate).toBe('cheap');
  await router.close();
});

test('reloads that come together are done one after the other', async () => {
  const config = await tinyConfig();
  let opening = 0;
  let most = 0;
  const router = await reloadingRouter(async () => {
    most = Math.max(most, ++opening);
    const opened = await createRouter(config);
    opening--;
    return opened;
  });
  const reloads = await Promise.all([router.reload(), router.reload(), router.reload()]);
  expect(reloads.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(most).toBe(1);
  await router.close();
});

test('close waits for a reload and closes what it opened; after it nothing is opened', async () => {
  const config = await tinyConfig();
  const parts = counted();
  const router = await reloadingRouter(() => createRouter(config, parts));
  const { opened: opening, open } = gate();
  const reload = router.reload(() => {
    open();
    return createRouter(config, parts);
  });
  await opening;
  await router.close();
  expect(await reload).toMatchObject({ ok: true });
  expect(parts).toMatchObject({ opened: 2, closed: 2 });
  expect(await router.reload()).toMatchObject({ ok: false });
  expect(parts.opened).toBe(2);
});

test('an artifact that is replaced, and a pointer that is flipped, are taken over unasked', async () => {
  const store = await tinyStore('a', 'b');
  promote(store, 'a', new Date());
  const { url } = await hotServing({ artifact: store, reloadIntervalMs: 10 });
  const serves = async (name: string) => {
    const { body } = await post(`${url}/v1/route`, { prompt: PROMPT });
    expect(body.artifact.name).toBe(name);
  };
  await serves('a');
  promote(store, 'b', new Date());
  await vi.waitFor(() => serves('b'), { timeout: 10_000 });
  const folder = path.join(store, 'a');
  layVerdict(copyAs(path.join(store, 'b'), folder));
  promote(store, 'a', new Date());
  await vi.waitFor(() => serves('a'), { timeout: 10_000 });
});

test('what cannot be opened is reported once, and taken over when it was repaired', async () => {
  const store = await tinyStore('a');
  const folder = path.join(store, 'a');
  const { log, hot } = await hotServing({ artifact: folder, reloadIntervalMs: 5 });
  const manifest = path.join(folder, 'manifest.json');
  const whole = readFileSync(manifest);
  writeFileSync(manifest, '{');
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(false), { timeout: 10_000 });
  writeFileSync(manifest, whole);
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(true), { timeout: 10_000 });
  expect(log.filter((line) => line.includes('not reloaded'))).toHaveLength(1);
});

test('a new artifact that is still to be gated waits: the old one serves, and the log says so once', async () => {
  const store = await tinyStore('a');
  const folder = path.join(store, 'a');
  const { url, log, hot } = await hotServing({ artifact: folder, reloadIntervalMs: 5 });
  const before = (await post(`${url}/v1/route`, { prompt: PROMPT })).body.artifact.sha256;
  const manifest = path.join(folder, 'manifest.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"created": "2025', '"created": "2026'));
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(false), { timeout: 10_000 });
  expect((await get(`${url}/readyz`)).body).toMatchObject({
    status: 'ready',
    artifact: { sha256: before },
    verdict: { status: 'PASS' },
    reload: { ok: false, message: expect.stringContaining('of another artifact') },
  });
  layVerdict(folder);
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(true), { timeout: 10_000 });
  const { body } = await post(`${url}/v1/route`, { prompt: PROMPT });
  expect(body.artifact.sha256).not.toBe(before);
  expect(body.verdict).toBe('PASS');
  expect(log.filter((line) => line.includes('not reloaded'))).toHaveLength(1);
});

test('a new verdict brings its threshold: it is taken over unasked, and one that is no PASS is not', async () => {
  const store = await tinyStore('a');
  const folder = path.join(store, 'a');
  const { hard } = await tinyArtifact();
  const { url, hot } = await hotServing({ artifact: folder, reloadIntervalMs: 5 });
  const decide = async () => (await post(`${url}/v1/route`, { prompt: hard[0] })).body;
  const before = await decide();
  expect(before).toMatchObject({ candidate: 'strong', threshold: 0.3, verdict: 'PASS' });
  const policy = { name: 'default', version: 1, threshold: before.predicted_loss + 0.01 };
  layVerdict(folder, { policy });
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(true), { timeout: 10_000 });
  const looser = { candidate: 'cheap', threshold: policy.threshold, verdict: 'PASS' };
  expect(await decide()).toMatchObject(looser);
  layVerdict(folder, { verdict: 'FAIL', policy: { ...policy, threshold: 0.1 } });
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(false), { timeout: 10_000 });
  expect(await decide()).toMatchObject(looser);
  layVerdict(folder, { policy: { ...policy, threshold: 0.1 } });
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(true), { timeout: 10_000 });
  expect(await decide()).toMatchObject({ candidate: 'strong', threshold: 0.1, verdict: 'PASS' });
});

test('the watch reports a change once, however often it checks, and no moment without an artifact', async () => {
  const store = await tinyStore('a');
  const folder = path.join(store, 'a');
  let looks = 0;
  let changes = 0;
  let seen = await artifactMark(folder);
  const stop = watchArtifacts({
    folders: () => {
      looks++;
      return [folder];
    },
    seen: () => seen,
    intervalMs: 1,
    onChange: async () => {
      changes++;
      seen = await artifactMark(folder);
    },
  });
  const furtherLooks = (n: number) => {
    const until = looks + n;
    return vi.waitFor(() => expect(looks).toBeGreaterThan(until), { timeout: 10_000, interval: 1 });
  };
  await furtherLooks(5);
  expect(changes).toBe(0);
  renameSync(folder, `${folder}-before`);
  await furtherLooks(5);
  expect(changes).toBe(0);
  renameSync(`${folder}-before`, folder);
  layVerdict(folder);
  await furtherLooks(5);
  expect(changes).toBe(1);
  stop();
});

test.each([
  [{ budgets: { defaultMaxTokens: 7 } }, 'budgets'],
  [{ threads: 'on' as const }, 'threads'],
  [{ instances: 3 }, 'instances'],
  [{ logLevel: 'debug' as const, reloadIntervalMs: 5 }, 'log_level, reload_interval_ms'],
])('a field that only a start can set is named when it changed: %j', async (changes, fields) => {
  const log: string[] = [];
  const config = await tinyConfig({ config: { reloadIntervalMs: 0 } });
  const hot = await hotReload(config, {
    report: reloadReport(createLogger('warn', { write: (line) => log.push(line) }), () => {}),
    readConfig: () => ({ ...config, ...changes }),
  });
  onTestFinished(() => hot.router.close());
  await hot.reload();
  expect(log.join('')).toContain(`"${fields} changed in the configuration: this needs a restart`);
});
