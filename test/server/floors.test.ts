import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createKeyPair, readPrivateKey, signVerdict } from '../../router/artifact/signature.ts';
import type { Config } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { serve } from '../../router/index.ts';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { DAY_MS, LOOK, layVerdict } from '../helpers/verdicts.ts';
import { hotServing, scratchFolder, tinyStore } from './hot-serving.ts';
import { get, post, serving, tinyConfig } from './serving.ts';

const PROMPT = 'What is the capital of France?';
const ask = (url: string, policy?: string) => post(`${url}/v1/route`, { prompt: PROMPT, policy });

/** A tiny artifact of its own, and a pair of keys. */
async function own() {
  const store = await tinyStore('own');
  const artifact = path.join(store, 'own');
  const { privateFile, publicFile } = createKeyPair(path.join(scratchFolder(), 'gate'), undefined);
  const sign = () => signVerdict(artifact, readPrivateKey(privateFile, '--key', undefined));
  return { artifact, publicFile, privateFile, sign };
}

describe('a PASS below a floor', () => {
  test.each<[string, (publicKey: string) => Config['gate'], RegExp]>([
    [
      'below-floor',
      () => ({ minConfidence: 0.99 }),
      /confidence 0\.95 over all looks, and gate\.min_confidence asks for 0\.99/,
    ],
    ['below-floor', () => ({ maxQualityLoss: 0.01 }), /gate\.max_quality_loss allows only 0\.01/],
    ['other-suite', () => ({ suites: ['f'.repeat(12)] }), /which gate\.suites does not list/],
    [
      'unsigned',
      (publicKey) => ({ publicKey }),
      /Only a signed verdict counts \(gate\.public_key: .*plimsoll -- sign /,
    ],
  ])(
    '%s: refused at start; with allow_ungated it serves, and says so everywhere',
    async (reason, floors, why) => {
      const { artifact, publicFile } = await own();
      const gate = floors(publicFile);
      await expect(createRouter(await tinyConfig({ config: { artifact, gate } }))).rejects.toMatchObject({
        code: 'ungated',
        message: expect.stringMatching(
          new RegExp(`${why.source}.*allow_ungated: true, or --allow-ungated\\.$`),
        ),
      });
      const server = await serving({ config: { artifact, gate, allowUngated: true } });
      expect((await ask(server.url)).body).toMatchObject({ verdict: 'none', ungated_reason: reason });
      expect((await ask(server.url, 'always-strong')).body).toMatchObject({ verdict: 'PASS' });
      expect(readinessSchema.parse((await get(`${server.url}/readyz`)).body).verdict).toMatchObject({
        status: 'none',
        why: expect.stringMatching(why),
      });
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toContain(
        `plimsoll_ungated_decisions_total{verdict="none",ungated_reason="${reason}"} 1`,
      );
      expect(server.log.join('')).toMatch(/UNGATED, and allow_ungated is on: /);
      await server.close();
    },
  );

  test('what meets every floor is a PASS', async () => {
    const { artifact, publicFile, sign } = await own();
    sign();
    const gate = {
      minConfidence: 0.95,
      maxQualityLoss: 0.02,
      maxValidForDays: 30,
      suites: ['0'.repeat(12)],
      publicKey: publicFile,
    };
    const server = await serving({ config: { artifact, gate } });
    expect((await ask(server.url)).body).toMatchObject({ verdict: 'PASS', ungated_reason: null });
    await server.close();
  });
});

test('max_valid_for_days: the PASS expires while it serves, before the verdict says so', async () => {
  const { artifact } = await own();
  const { issued } = layVerdict(artifact, { valid_for_days: 36_500 });
  const endMs = Date.parse(issued) + 30 * DAY_MS;
  let clockMs = endMs - 1;
  const config = { artifact, gate: { maxValidForDays: 30 } };
  const server = await serving({ config, nowMs: () => clockMs });
  expect((await ask(server.url)).body).toMatchObject({ verdict: 'PASS' });
  clockMs = endMs;
  expect((await ask(server.url)).body).toMatchObject({ verdict: 'expired', ungated_reason: 'expired' });
  expect((await get(`${server.url}/readyz`)).body.verdict).toMatchObject({
    status: 'expired',
    expires: new Date(endMs).toISOString(),
    why: expect.stringContaining('after the 30 days of gate.max_valid_for_days'),
  });
  await server.close();
});

test.each([
  [
    'no file',
    () => '/no/such.pem',
    'not-found',
    /There is no key at \/no\/such\.pem, which gate\.public_key names/,
  ],
  [
    'the private key',
    (file: string) => file,
    'invalid-config',
    /gate\.public_key names, holds a private key/,
  ],
])('public_key with %s: the server does not start, allow_ungated or not', async (_, place, code, message) => {
  const { artifact, privateFile } = await own();
  const gate = { publicKey: place(privateFile) };
  const config = await tinyConfig({ config: { artifact, gate, allowUngated: true } });
  await expect(createRouter(config)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a new verdict waits for its signature, and is taken over when it comes', async () => {
  const { artifact, publicFile, sign } = await own();
  sign();
  const { hot, url } = await hotServing({ artifact, gate: { publicKey: publicFile }, reloadIntervalMs: 5 });
  const lastReload = () => hot.router.health().lastReload;
  layVerdict(artifact, { suite: { name: 'newer', sha256: '1'.repeat(64) } });
  await vi.waitFor(() => expect(lastReload()?.ok).toBe(false), { timeout: 10_000 });
  expect(lastReload()?.message).toMatch(/replaced or changed after it was signed/);
  expect((await get(`${url}/readyz`)).body.verdict).toMatchObject({ status: 'PASS', suite: 'made-up-suite' });
  sign();
  await vi.waitFor(() => expect(lastReload()?.ok).toBe(true), { timeout: 10_000 });
  expect((await get(`${url}/readyz`)).body.verdict).toMatchObject({ status: 'PASS', suite: 'newer' });
});

test('a reload applies the floors of the configuration, as it is then', async () => {
  const { artifact } = await own();
  layVerdict(artifact, { looks: { ...LOOK, confidence: 0.9 } });
  let config = await tinyConfig({ config: { artifact, logLevel: 'silent', reloadIntervalMs: 0 } });
  const server = await serve(config, { readConfig: () => config });
  const reloadedWith = (changes: Partial<Config>) => {
    config = { ...config, ...changes };
    return server.reload();
  };
  const standing = async () => (await get(`${server.url}/readyz`)).body.verdict;
  try {
    expect(await standing()).toMatchObject({ status: 'PASS' });
    // what does not meet them is not opened, as any artifact without a PASS: what served before serves on, and says why
    expect(await reloadedWith({ gate: { minConfidence: 0.95 } })).toMatchObject({
      ok: false,
      message: expect.stringContaining('gate.min_confidence asks for 0.95'),
    });
    expect(await standing()).toMatchObject({ status: 'PASS' });
    expect(await reloadedWith({ allowUngated: true })).toMatchObject({ ok: true });
    expect(await standing()).toMatchObject({
      status: 'none',
      why: expect.stringContaining('min_confidence'),
    });
    expect((await ask(server.url)).body).toMatchObject({ verdict: 'none', ungated_reason: 'below-floor' });
    expect(await reloadedWith({ gate: { minConfidence: 0.9, maxValidForDays: 1 } })).toMatchObject({
      ok: true,
    });
    const { status, issued, expires } = await standing();
    expect({ status, days: (Date.parse(expires) - Date.parse(issued)) / DAY_MS }).toEqual({
      status: 'PASS',
      days: 1,
    });
  } finally {
    await server.close();
  }
});
