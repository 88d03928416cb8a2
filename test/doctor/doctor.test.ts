import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configSchema, loadConfig } from '../../router/config/index.ts';
import { serve } from '../../router/serve.ts';
import { diagnose } from '../../scripts/doctor/index.ts';
import { checkClock, checkEnvironment, checkNode } from '../../scripts/doctor/machine.ts';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { cli, jsonOf, scratchFolder } from '../cli/run-cli.ts';
import { cascadeArtifact, judgeBy, withoutFinishReason } from '../helpers/cascade-artifact.ts';

/** A configuration with a provider that needs a key, and what more is given. */
async function world(more: Record<string, unknown> = {}) {
  const provider = await startFakeProvider({ apiKey: 'sk-right', models: ['small', 'large'] });
  onTestFinished(() => provider.close());
  const config = {
    ladder: { cheap: 'fake/small', strong: 'fake/large' },
    providers: { fake: { kind: 'openai-compatible', base_url: provider.url, api_key_env: 'DOCTOR_KEY' } },
    models: {
      'fake/small': { price: { input: 1, output: 2 } },
      'fake/large': { price: { input: 10, output: 20 } },
    },
    allow_ungated: true,
    server: { port: 0 },
    ...more,
  };
  const file = path.join(scratchFolder(), 'plimsoll.config.yaml');
  writeFileSync(file, JSON.stringify(config));
  return { provider, file };
}

const SUPPORT = { cost_per_minute_usd: 0.6, minutes: 4 };
const DARK = { kind: 'shadow', spend: { '24h': '5 usd' } };

function withKey(key: string): void {
  process.env['DOCTOR_KEY'] = key;
  onTestFinished(() => void delete process.env['DOCTOR_KEY']);
}

async function found(config: string, online = false) {
  const findings = await diagnose({ config, online });
  return Object.fromEntries(findings.map(({ check, ...rest }) => [check, rest]));
}

test('what is well: no fault, and no key in what is said', async () => {
  const { file } = await world();
  withKey('sk-right');
  const findings = await found(file, true);
  expect(Object.values(findings).filter(({ status }) => status === 'fault')).toEqual([]);
  expect(findings['provider fake']).toMatchObject({
    status: 'ok',
    text: expect.stringContaining('takes the key'),
  });
  expect(findings['ladder']).toMatchObject({ status: 'ok', text: 'cheap: fake/small, strong: fake/large' });
  expect(JSON.stringify(findings)).not.toContain('sk-right');
});

test('of a provider without a key it is not said that its key is set', async () => {
  const provider = await startFakeProvider({ models: ['small', 'large'] });
  onTestFinished(() => provider.close());
  const { file } = await world({
    providers: { fake: { kind: 'openai-compatible', base_url: provider.url } },
  });
  expect((await found(file))['provider fake']).toMatchObject({
    status: 'ok',
    text: expect.stringContaining('no key is configured for it'),
  });
  expect((await found(file, true))['provider fake']).toMatchObject({
    status: 'ok',
    text: expect.stringContaining('responds, without a key'),
  });
});

test('a key that is missing, refused, or a provider that is away, each with what to do', async () => {
  const { file, provider } = await world();
  expect((await found(file))['provider fake']).toMatchObject({
    status: 'fault',
    text: 'DOCTOR_KEY is not set.',
  });
  withKey('sk-wrong');
  expect((await found(file))['provider fake']).toMatchObject({ status: 'ok' }); // nobody was asked
  const refused = (await found(file, true))['provider fake'];
  expect(refused).toMatchObject({ status: 'fault', fix: expect.stringContaining('make a new one') });
  expect(JSON.stringify(refused)).not.toContain('sk-wrong');
  await provider.close();
  expect((await found(file, true))['provider fake']).toMatchObject({
    status: 'fault',
    text: expect.stringContaining('connect-refused'),
  });
});

test('a port that another program has, and one that Plimsoll has', async () => {
  const other = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { file } = await world({ server: { port: (other.address() as AddressInfo).port } });
  expect((await found(file))['port']).toMatchObject({
    status: 'fault',
    fix: expect.stringContaining('--port'),
  });

  const served = await serve(configSchema.parse({ log_level: 'silent', server: { port: 0 } }));
  onTestFinished(async () => void (await served.close()));
  const { file: second } = await world({ server: { port: Number(new URL(served.url).port) } });
  expect((await found(second))['port']).toMatchObject({ status: 'warning', text: /Plimsoll serves/ });
});

test('state, Redis, API keys, prices and models that are not there', async () => {
  withKey('sk-right');
  const { file } = await world({
    state: { kind: 'postgres', url: 'postgres://127.0.0.1:1/none' },
    redis: { url: 'redis://127.0.0.1:1' },
    access: { keys_file: 'missing.json' },
    models: { 'fake/small': { local: false }, 'fake/large': { local: false } },
  });
  const findings = await found(file);
  for (const check of ['state', 'redis', 'access'])
    expect(findings[check]).toMatchObject({ status: 'fault' });
  expect(findings['ladder']).toMatchObject({ status: 'warning', fix: expect.stringContaining('price: {') });
  const { file: unserved } = await world({ ladder: { cheap: 'fake/small' } });
  expect((await found(unserved))['ladder']).toMatchObject({
    status: 'fault',
    fix: expect.stringContaining('strong:'),
  });
});

test('fields of the cascade that do nothing, or that its judge cannot do without', async () => {
  withKey('sk-right');
  const { folder } = await cascadeArtifact(judgeBy({ agreement: -8 }, 4));
  const { file } = await world({ artifact: folder, cascade: { verifier: 'fake/large' } });
  const findings = await diagnose({ config: file, online: false });
  expect(findings.filter(({ check }) => check === 'cascade')).toEqual([
    { check: 'cascade', status: 'warning', text: expect.stringContaining('cascade.samples is not set') },
    { check: 'cascade', status: 'warning', text: expect.stringContaining('cascade.verifier does nothing') },
  ]);
  const { file: good } = await world({ artifact: folder, cascade: { samples: 3 } });
  expect(await found(good)).not.toHaveProperty('cascade');
});

test('signals that its judge cannot tell the worth of', async () => {
  withKey('sk-right');
  const { folder } = await cascadeArtifact(withoutFinishReason(judgeBy({})));
  const { file } = await world({ artifact: folder });
  const findings = await diagnose({ config: file, online: false });
  expect(findings.filter(({ check }) => check === 'cascade')).toEqual([
    { check: 'cascade', status: 'warning', text: expect.stringContaining('alike in refusal: ') },
    { check: 'cascade', status: 'warning', text: expect.stringContaining('has finish_reason: ') },
  ]);
});

test('the ladder of each profile, with the field that mends it', async () => {
  withKey('sk-right');
  const { file } = await world({
    profiles: {
      well: { ladder: { cheap: 'fake/large' } },
      reversed: { ladder: { cheap: 'fake/large', strong: 'fake/small' } },
      nowhere: { ladder: { strong: 'other/model' } },
    },
  });
  const findings = await found(file);
  expect(findings['ladder']).toMatchObject({ status: 'ok' });
  expect(findings['ladder of the profile well']).toMatchObject({ status: 'ok' });
  expect(findings['ladder of the profile reversed']).toMatchObject({
    status: 'warning',
    text: /profiles\.reversed\.ladder/,
  });
  expect(findings['ladder of the profile nowhere']).toMatchObject({
    status: 'fault',
    fix: expect.stringContaining('profiles.nowhere.ladder: { strong:'),
  });
});

test.each([
  ['upstream.fallbacks.fake/small', { upstream: { fallbacks: { 'fake/small': ['human/support'] } } }],
  ['people.support.fallback', { people: { support: { ...SUPPORT, fallback: 'human/support' } } }],
  [
    'experiments.dark.to.models',
    { experiments: { dark: { ...DARK, to: { models: ['fake/large', 'human/support'] } } } },
  ],
  [
    'experiments.dark.to.profile',
    {
      profiles: { handed: { ladder: { cheap: 'fake/small', strong: 'human/support' } } },
      experiments: { dark: { ...DARK, to: { profile: 'handed' } } },
    },
  ],
])('people where only models may be, at %s: what serve refuses is a fault', async (field, more) => {
  withKey('sk-right');
  const state = { kind: 'sqlite', url: path.join(scratchFolder(), 'state.db') };
  const { file } = await world({ people: { support: SUPPORT }, state, ...more });
  const { status, text } = (await found(file))['serving']!;
  expect([status, text]).toEqual(['fault', expect.stringContaining(`${field} names people (human/support)`)]);
  const refusal = await serve({ ...loadConfig(file), logLevel: 'silent' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ code: 'invalid-config', message: text, place: { field } });
});

const NOBODY = { cascade: { samples: 3, verifier: 'nope' } };

test.each([
  ['cascade.verifier', NOBODY],
  ['profiles.chat.cascade.verifier', { profiles: { chat: NOBODY } }],
  ['upstream.fallbacks.fake/small', { upstream: { fallbacks: { 'fake/small': ['fake/none'] } } }],
  ['limits.0.for.model', { limits: [{ for: { model: 'fake/none' }, windows: [{ '1m': '5 requests' }] }] }],
  ['limits', { limits: [{ for: { key: '*' }, windows: [{ '1m': '5 requests' }] }] }],
])('what serve refuses at %s is a fault, in the same words', async (field, more) => {
  withKey('sk-right');
  const { file } = await world(more);
  const refusal = await serve({ ...loadConfig(file), logLevel: 'silent' }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ code: 'invalid-config', place: { field } });
  const { message } = refusal as Error;
  expect((await found(file))['serving']).toMatchObject({ status: 'fault', text: message });
});

test('a Node that is too old', () => {
  expect(checkNode('18.20.4')).toMatchObject({ status: 'fault' });
  expect(checkNode('20.18.0')).toMatchObject({ status: 'fault' });
  expect(checkNode('24.0.0')).toMatchObject({ status: 'ok' });
});

test('the command: 0 and 1, lines and JSON, and a configuration that is wrong', async () => {
  const cwd = scratchFolder();
  const well = await cli(['doctor', '--json'], { cwd, env: { PLIMSOLL_PORT: '0' } });
  expect(well).toMatchObject({ code: 0, stderr: '' });
  expect(jsonOf(well)).toMatchObject({ ok: true, faults: 0 });
  writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), 'ladder: {}\nlader: {}\n');
  const wrong = await cli(['doctor'], { cwd });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/fault {4}configuration: .*line 2.*ladder/);
  expect(wrong.stdout).toMatch(/1 fault and 0 warnings/);
});

test('a clock before this version was made, and a slip in the name of a variable, are found', () => {
  expect(checkClock(new Date('2020-01-01'))).toMatchObject({
    status: 'fault',
    fix: expect.stringContaining('NTP'),
  });
  expect(checkClock(new Date()).status).toBe('ok');
  expect(checkEnvironment({ PLIMSOLL_PROT: '8080' })).toMatchObject({
    status: 'warning',
    text: expect.stringContaining('PLIMSOLL_PROT'),
    fix: 'Did you mean PLIMSOLL_PORT?',
  });
  expect(checkEnvironment({ PLIMSOLL_ALARMS: 'https://x', PLIMSOLL_PORT: '1' })).toMatchObject({
    status: 'ok',
  });
});

test('the address of alarms: without one, or with something else, the server does not start', async () => {
  const { file } = await world({ watch: { webhook_url_env: 'DOCTOR_WEBHOOK' } });
  withKey('sk-right');
  const { alarms: unset } = await found(file);
  expect(unset).toMatchObject({ status: 'fault', text: expect.stringContaining('DOCTOR_WEBHOOK must hold') });
  expect(unset!.fix).toContain('Set DOCTOR_WEBHOOK');
  onTestFinished(() => void delete process.env['DOCTOR_WEBHOOK']);
  process.env['DOCTOR_WEBHOOK'] = 'hooks.example.com/secret';
  const { alarms: wrong } = await found(file);
  expect(wrong).toMatchObject({ status: 'fault' });
  await expect(serve(loadConfig(file))).rejects.toThrow(wrong!.text);
  process.env['DOCTOR_WEBHOOK'] = 'https://hooks.example.com/secret';
  const { alarms: well } = await found(file);
  expect(well).toMatchObject({ status: 'ok' });
  expect(JSON.stringify([unset, wrong, well])).not.toContain('secret');
});
