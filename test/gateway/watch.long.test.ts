import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readArtifact } from '../../router/artifact/index.ts';
import { featureExtractor } from '../../router/classifier/index.ts';
import { createAuditFeed } from '../../router/gateway/audit-feed.ts';
import { AUDITS, describePopulation, type Population, type Watch } from '../../router/monitoring/index.ts';
import { openState } from '../../router/state/index.ts';
import { shuffledOrder } from '../../router/statistics/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict } from '../helpers/verdicts.ts';
import { ask, gatewayForTest } from './running-gateway.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'plimsoll-watch-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;

/** The tiny artifact for the models that are served, with a PASS that says what it was certified on: the easy texts, of which half stay cheap. */
async function watchedArtifact(
  changed = (population: Population): object => population,
  shares: readonly number[] = [0.5, 0.5],
) {
  const { folder: from, easy: texts } = await tinyArtifact();
  const easy = Array.from(shuffledOrder(texts.length, 1), (i) => texts[i]!);
  const folder = copyAs(from, path.join(scratch, `watched-${made++}`), ['first/small', 'first/large']);
  const { manifest } = readArtifact(folder);
  const extractor = featureExtractor(manifest.features);
  const population = describePopulation(
    manifest.features,
    easy.map((text) => extractor.extract(text)),
  );
  layVerdict(folder, {
    evidence: { rungs: shares.map((share) => ({ share })), population: changed(population) },
  });
  return { folder, sha256: readArtifact(folder).sha256, easy };
}

async function stateWith(audits: readonly object[]) {
  const state = { kind: 'sqlite' as const, url: path.join(scratch, `state-${made++}.db`) };
  const open = await openState({ ...state, migrate: 'auto' });
  const records = audits.map((audit, i) => ({ id: `${i}`, timeMs: i, body: JSON.stringify(audit) }));
  await open.log.append(AUDITS, records);
  await open.close();
  return state;
}

const lost = (artifact: string, n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    schema_version: 1,
    decision_id: `dec_${from + i}`,
    artifact,
    predicted_loss: 0.25,
    loss: 1,
  }));

async function readyz(url: string) {
  return (await (await fetch(`${url}/readyz`)).json()) as {
    status: string;
    troubles: string[];
    verdict: { status: string; why: string };
    watch: {
      drift: { requests: number; alarm: boolean; moved: { feature: string }[] };
      shares: object;
      audits: object;
    };
  };
}

test('audits that contradict the PASS: every decision, /readyz, the metrics and the log say so, and it serves on', async () => {
  const { folder, sha256, easy } = await watchedArtifact();
  const state = await stateWith(lost(sha256, 40));
  const running = await gatewayForTest({ config: { artifact: folder, state, watch: {} } });
  await expect.poll(async () => (await readyz(running.url)).status).toBe('degraded');
  const ready = await readyz(running.url);
  expect(ready.verdict).toMatchObject({
    status: 'contradicted',
    why: expect.stringContaining('It serves on.'),
  });
  expect(ready.troubles).toEqual([expect.stringContaining('contradict the PASS')]);
  expect(ready.watch.audits).toMatchObject({ n: 40, limit: 0.04, mean_loss: 1, contradictions: 1 });
  const reply = await running.openai.chat.completions.create(ask(easy[0]!)).asResponse();
  expect(reply.headers.get('x-plimsoll-verdict')).toBe('contradicted');
  expect(reply.headers.get('x-plimsoll-served')).toBe('first/small');
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  expect(metrics).toContain('plimsoll_verdict_standing{verdict="contradicted"} 1');
  expect(metrics).toContain('plimsoll_watch_alarm{watch="audits"} 1');
});

test.each([
  ['tighten', { threshold: expect.closeTo(0.1), verdict: 'contradicted' }],
  ['strong', { threshold: null, verdict: 'PASS', candidate: 'strong' }],
] as const)('%s changes what serves, from the next request on', async (action, decision) => {
  const { folder, sha256, easy } = await watchedArtifact();
  const state = await stateWith(lost(sha256, 40));
  const watch = { on_contradiction: action, tighten_by: 0.2 };
  const running = await gatewayForTest({ config: { artifact: folder, state, watch } });
  await expect.poll(async () => (await readyz(running.url)).verdict.status).toBe('contradicted');
  const reply = await fetch(`${running.url}/v1/route`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: easy[0]! }),
  });
  expect(await reply.json()).toMatchObject(decision);
});

test('requests of another kind raise an alarm, those of the same kind do not', async () => {
  const { folder, easy } = await watchedArtifact(undefined, [0.99, 0.01]);
  const running = await gatewayForTest({ config: { artifact: folder, watch: {} } });
  const route = (prompts: readonly string[]) =>
    fetch(`${running.url}/v1/route/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ requests: prompts.map((prompt) => ({ prompt })) }),
    });
  expect((await route(easy.slice(0, 40))).status).toBe(200);
  expect(await readyz(running.url)).toMatchObject({
    status: 'ready',
    watch: { drift: { requests: 40, alarm: false } },
  });
  const others = Array.from(
    { length: 60 },
    (_, i) => `Compute 17 * ${i} + 4 - 12 / 3; show each of the ${i} steps, 1 to 9.`,
  );
  expect((await route(others)).status).toBe(200);
  const ready = await readyz(running.url);
  expect(ready).toMatchObject({ status: 'degraded', watch: { drift: { requests: 100, alarm: true } } });
  expect(ready.troubles[0]).toContain('Label some of today');
});

test('a router that sends everything to one rung has collapsed; requests that could not go elsewhere do not count', async () => {
  const { folder, easy } = await watchedArtifact();
  const running = await gatewayForTest({ config: { artifact: folder, watch: {}, allow_ungated: true } });
  const route = (options: object) =>
    fetch(`${running.url}/v1/route/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        requests: easy.slice(0, 40).map((prompt) => ({ prompt, ...options })),
      }),
    });
  expect((await route({ threshold: 0.9 })).status).toBe(200);
  expect((await route({ policy: 'always-strong' })).status).toBe(200);
  expect((await readyz(running.url)).watch.shares).toMatchObject({ requests: 0, alarm: null });
  expect((await route({})).status).toBe(200);
  const { status, troubles, watch } = await readyz(running.url);
  expect(status).toBe('degraded');
  expect(watch.shares).toMatchObject({ requests: 40, rungs: [1, 0], alarm: 'collapse' });
  expect(troubles[0]).toMatch(/collapsed: of 40 requests 100.0 % went to rung 0 \(cheap\), and 50.0 %/);
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  expect(metrics).toContain('plimsoll_watch_alarm{watch="shares"} 1');
});

test.each([
  ['bins without their counts', (counts: readonly number[]) => counts.slice(0, 2)],
  ['more counts than bins', (counts: readonly number[]) => [...counts, 1]],
  ['counts that are none', () => ['many', null]],
])('a verdict that has %s stops no request and no audits; its drift is not watched', async (_, change) => {
  const { folder, sha256, easy } = await watchedArtifact(({ n, features }) => ({
    n,
    features: features.map((feature) => ({ ...feature, counts: change(feature.counts) })),
  }));
  const state = await stateWith(lost(sha256, 40));
  const running = await gatewayForTest({ config: { artifact: folder, state, watch: {} } });
  const reply = await running.openai.chat.completions.create(ask(easy[0]!)).asResponse();
  expect(reply.status).toBe(200);
  await expect.poll(async () => (await readyz(running.url)).verdict.status).toBe('contradicted');
});

test('without watch nothing is watched', async () => {
  const { folder } = await watchedArtifact();
  const running = await gatewayForTest({ config: { artifact: folder } });
  expect(await readyz(running.url)).not.toHaveProperty('watch');
});

test('an audit whose alarm fails is counted once, and so are those after it', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const seen: string[] = [];
  const failures: object[] = [];
  const watch = {
    observeAudit(audit: { decision_id: string }) {
      seen.push(audit.decision_id);
      if (audit.decision_id === 'dec_1') throw new Error('the handler of the alarm failed');
    },
  };
  const records = lost('a', 3).map((audit, i) => ({ id: `${i}`, timeMs: i, body: JSON.stringify(audit) }));
  await state.log.append(AUDITS, records);
  const feed = createAuditFeed(state.log, (error) => failures.push(error), 5);
  feed.follow(watch as unknown as Watch);
  await expect.poll(() => seen.length).toBeGreaterThan(2);
  await feed.close();
  expect(seen).toEqual(['dec_0', 'dec_1', 'dec_2']);
  expect(failures).toHaveLength(1);
  await state.close();
});

test('the feed counts each audit once, goes on with later ones, and skips what it cannot read', async () => {
  const state = await openState({ kind: 'memory', migrate: 'auto' });
  const seen: string[] = [];
  const watch = { observeAudit: (audit: { decision_id: string }) => seen.push(audit.decision_id) };
  const feed = createAuditFeed(state.log, () => expect.unreachable(), 5);
  const append = (audits: readonly object[]) =>
    state.log.append(
      AUDITS,
      audits.map((audit, i) => ({ id: `${made}-${i}`, timeMs: made++, body: JSON.stringify(audit) })),
    );
  await append([...lost('a', 2), { schema_version: 2 }]);
  feed.follow(watch as unknown as Watch);
  await expect.poll(() => seen).toEqual(['dec_0', 'dec_1']);
  await append(lost('a', 1, 2));
  await expect.poll(() => seen).toEqual(['dec_0', 'dec_1', 'dec_2']);
  await feed.close();
  await state.close();
});

test('a model that changes under its name is an alarm, also over a restart', async () => {
  const { folder, easy } = await watchedArtifact();
  const state = await stateWith([]);
  const config = { artifact: folder, state, watch: {} };
  const calls = async (running: Awaited<ReturnType<typeof gatewayForTest>>, from: number) => {
    for (const prompt of easy.slice(from, from + 4)) {
      await running.openai.chat.completions.create(ask(prompt));
      const chunks = await running.openai.chat.completions.create({ ...ask(prompt), stream: true });
      for await (const _ of chunks);
    }
  };
  const first = await gatewayForTest({ config });
  await calls(first, 0);
  expect((await readyz(first.url)).troubles).toEqual([]);
  await first.close();
  const second = await gatewayForTest({ config, upstream: { modelOf: (name) => `${name}-2026-11-30` } });
  await calls(second, 4);
  await expect
    .poll(async () => (await readyz(second.url)).troubles)
    .toEqual([expect.stringContaining('changed under its name: replies come from "small-2026-11-30"')]);
});
