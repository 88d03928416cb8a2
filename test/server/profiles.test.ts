import path from 'node:path';
import { expect, test, vi } from 'vitest';
import type { RouterParts } from '../../router/artifact-router.ts';
import { createOnnxClassifier } from '../../router/classifier/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { layVerdict, PASSED } from '../helpers/verdicts.ts';
import { hotServing, tinyStore } from './hot-serving.ts';
import { get, post, tinyConfig } from './serving.ts';

/** Real classifiers, whose number is counted. */
function counted(): RouterParts & { opened: number } {
  const parts = {
    opened: 0,
    openClassifier: (...given: Parameters<typeof createOnnxClassifier>) => {
      parts.opened++;
      return createOnnxClassifier(...given);
    },
  };
  return parts;
}

async function config(profiles: object) {
  return { artifact: (await tinyArtifact()).folder, profiles: configSchema.parse({ profiles }).profiles };
}

test('each profile is decided by its own artifact, and what several profiles name is opened once', async () => {
  const store = await tinyStore('a', 'b');
  const parts = counted();
  const { folder } = await tinyArtifact();
  const profiles = {
    legal: { artifact: path.join(store, 'a') },
    contracts: { extends: 'legal', policy: 'always-strong' },
    code: { artifact: path.join(store, 'b', '..', 'b'), ladder: { strong: 'coder' } },
    plain: {},
    same: { artifact: folder },
  };
  const router = await createRouter(await tinyConfig({ config: await config(profiles) }), parts);
  expect(parts.opened).toBe(3);
  const of = async (profile?: string) => {
    const decided = await router.route({ prompt: 'Explain why.' }, profile === undefined ? {} : { profile });
    return [decided.profile, decided.artifact.name, decided.policy.name, decided.verdict];
  };
  expect(await Promise.all([undefined, ...Object.keys(profiles)].map(of))).toEqual([
    [undefined, 'tiny', 'default', 'PASS'],
    ['legal', 'a', 'default', 'PASS'],
    ['contracts', 'a', 'always-strong', 'PASS'],
    ['code', 'b', 'default', 'stale'],
    ['plain', 'tiny', 'default', 'PASS'],
    ['same', 'tiny', 'default', 'PASS'],
  ]);
  expect([...router.profiles.keys()]).toEqual(Object.keys(profiles));
  expect(router.artifacts.map(({ name, profiles: served }) => [name, served])).toEqual([
    ['tiny', ['plain', 'same']],
    ['a', ['legal', 'contracts']],
    ['b', ['code']],
  ]);
  expect(router.health().decisions).toBe(6);
  await expect(router.route({ prompt: 'x' }, { profile: 'lgal' })).rejects.toMatchObject({
    code: 'not-found',
    message:
      'There is no profile "lgal". Did you mean "legal"? There are: legal, contracts, code, plain, same.',
  });
  expect(() => router.check({ profile: '__proto__' })).toThrow('There is no profile "__proto__".');
  await router.close();
  await expect(router.route({ prompt: 'x' }, { profile: 'code' })).rejects.toMatchObject({ code: 'closed' });
});

test('/readyz and /metrics say the artifact, the verdict and the memory of each', async () => {
  const store = await tinyStore('a');
  const { url, log } = await hotServing(
    await config({ legal: { artifact: path.join(store, 'a'), margin: 0.02 }, plain: {} }),
  );
  const ready = readinessSchema.parse((await get(`${url}/readyz`)).body);
  expect(ready.profiles).toMatchObject({
    legal: { artifact: { name: 'a' }, margin: 0.02, policy: 'default', verdict: { status: 'PASS' } },
    plain: { artifact: { name: 'tiny' }, verdict: { status: 'PASS' } },
  });
  expect(ready.artifacts).toMatchObject([
    { name: 'tiny', profiles: ['plain'] },
    { name: 'a', profiles: ['legal'] },
  ]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('plimsoll_profile_verdict_standing{profile="legal",verdict="PASS"} 1');
  expect(metrics).toMatch(/plimsoll_artifact_memory_bytes\{artifact="a",sha256="\w{64}"\} \d+/);
  expect(metrics.match(/^plimsoll_artifact_info\{/gm)).toHaveLength(2);
  expect(log.filter((line) => line.includes('loaded the artifact'))).toHaveLength(2);
});

test('/readyz says of each artifact what its watch sees', async () => {
  const store = await tinyStore('a');
  const { watch } = configSchema.parse({ watch: {} });
  const { profiles, ...rest } = await config({ legal: { artifact: path.join(store, 'a') } });
  const { url } = await hotServing({ ...rest, profiles, watch });
  const ready = readinessSchema.parse((await get(`${url}/readyz`)).body);
  expect(ready.artifacts!.map(({ name, watch: seen }) => [name, seen !== undefined])).toEqual([
    ['tiny', true],
    ['a', true],
  ]);
  expect(ready.artifacts![0]!.watch).toEqual(ready.watch);
});

test('an artifact without a PASS, or one that allows more loss than the margin, stops the start and names the profile', async () => {
  const store = await tinyStore('a', 'b');
  const failed = path.join(store, 'b');
  layVerdict(failed, { verdict: 'FAIL', conditions: [{ ...PASSED, verdict: 'FAIL' }] });
  const start = async (profiles: object) =>
    createRouter(await tinyConfig({ config: await config(profiles) })).then(
      () => 'started',
      ({ code, message, place }) => ({ code, message, field: place.field }),
    );
  expect(await start({ legal: { artifact: failed } })).toMatchObject({
    code: 'ungated',
    field: 'profiles.legal',
    message: expect.stringMatching(/^profiles\.legal: .*allow_ungated/s),
  });
  expect(await start({ legal: { margin: 0.01 } })).toMatchObject({
    code: 'ungated',
    message: expect.stringMatching(
      /allows a quality loss of 0\.02, and profiles\.legal\.margin allows only 0\.01/,
    ),
  });
  expect(await start({ legal: { margin: 0.02 } })).toBe('started');
  expect(await start({ legal: { artifact: path.join(store, 'c') } })).toMatchObject({
    code: 'not-found',
    field: 'profiles.legal.artifact',
    message: expect.stringMatching(/^profiles\.legal\.artifact: There is no artifact folder/),
  });
  expect(await start({ legal: { ladder: { chep: 'x' } } })).toMatchObject({
    code: 'invalid-config',
    field: 'profiles.legal.ladder.chep',
  });
  expect(await start({ legal: { policy: 'none-such' } })).toMatchObject({
    message: expect.stringMatching(/^profiles\.legal: .*none-such/),
  });
});

test("a profile's artifact that is replaced serves at once; one that fails leaves all as it was, and the reason names the profile", async () => {
  const store = await tinyStore('a', 'b');
  const folder = path.join(store, 'a');
  const { url, hot } = await hotServing({
    ...(await config({ legal: { artifact: folder } })),
    reloadIntervalMs: 20,
  });
  const verdict = () => get(`${url}/readyz`).then(({ body }) => body.profiles.legal.verdict.suite);
  layVerdict(folder, { suite: { name: 'another-suite', sha256: '0'.repeat(64) } });
  await vi.waitFor(async () => expect(await verdict()).toBe('another-suite'));
  layVerdict(folder, { verdict: 'FAIL', conditions: [{ ...PASSED, verdict: 'FAIL' }] });
  await vi.waitFor(() => expect(hot.router.health().lastReload?.ok).toBe(false));
  expect(hot.router.health().lastReload?.message).toMatch(/^profiles\.legal: /);
  expect(await verdict()).toBe('another-suite');
  expect((await post(`${url}/v1/route`, { prompt: 'Why?' })).status).toBe(200);
});
