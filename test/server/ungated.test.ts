import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRouter } from '../../router/create-router.ts';
import { readinessSchema } from '../../router/openapi/decision-schemas.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, DAY_MS, layEarlierVerdict, layVerdict, PASSED } from '../helpers/verdicts.ts';
import { scratchFolder } from './hot-serving.ts';
import { get, post, type Serving, serving, tinyConfig } from './serving.ts';

const PROMPT = 'What is the capital of France?';
const THRIFTY = { thrifty: { threshold: 1, version: 1 } };

/** A tiny artifact of its own, whose verdict may be changed. */
async function ownTiny(): Promise<string> {
  return copyAs((await tinyArtifact()).folder, `${scratchFolder()}/own`);
}

async function verdictsBy(server: Serving, ...policies: string[]): Promise<string[]> {
  const ask = (policy: string) => post(`${server.url}/v1/route`, { prompt: PROMPT, policy });
  return (await Promise.all(policies.map(ask))).map(({ body }) => body.verdict ?? body.error.code);
}

const warningsOf = ({ log }: Serving) =>
  log.map((line) => JSON.parse(line)).flatMap(({ level, msg }) => (level === 'warn' ? [msg] : []));

describe('without allow_ungated', () => {
  test("the artifact's own policy and always-strong serve, always-cheap says why it does not", async () => {
    const server = await serving();
    const { body } = await get(`${server.url}/readyz`);
    expect(body.policies).toEqual(['default', 'always-strong']);
    expect(await verdictsBy(server, 'default', 'always-strong')).toEqual(['PASS', 'PASS']);
    const refused = await post(`${server.url}/v1/route`, { prompt: PROMPT, policy: 'always-cheap' });
    expect(refused.status).toBe(404);
    expect(refused.body.error).toMatchObject({
      code: 'not_found',
      param: 'policy',
      message:
        'The policy "always-cheap" has not passed the gate; allow_ungated: true lets it serve. There are: default, always-strong.',
    });
    await server.close();
  });

  test.each([
    ['further policies', { policies: THRIFTY }, 'policies.thrifty'],
    ['always-cheap by default', { defaultPolicy: 'always-cheap' }, 'default_policy'],
  ])('a configuration with %s is refused', async (_, config, field) => {
    await expect(createRouter(await tinyConfig({ config }))).rejects.toMatchObject({
      code: 'ungated',
      place: { field },
      message: expect.stringMatching(/has not passed the gate.* allow_ungated: true\.$/),
    });
  });

  test('always-strong by default is served: it loses nothing against itself', async () => {
    const server = await serving({ config: { defaultPolicy: 'always-strong' } });
    const { body } = await post(`${server.url}/v1/route`, { prompt: PROMPT });
    expect(body).toMatchObject({ candidate: 'strong', verdict: 'PASS' });
    expect(warningsOf(server)).toEqual([]);
    await server.close();
  });
});

describe('an artifact without a valid PASS', () => {
  const days = (n: number) => new Date(Date.now() + n * DAY_MS).toISOString();
  /** A verdict of FAIL, changed by hand. */
  const edited = (change: (text: string) => string) => (folder: string) => {
    layVerdict(folder, { verdict: 'FAIL' });
    const file = `${folder}/verdict.json`;
    const text = readFileSync(file, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(file, change(text));
  };
  test.each<[string, (folder: string) => unknown, RegExp]>([
    [
      'no file',
      (folder) => rmSync(`${folder}/verdict.json`),
      /has no verdict: .*plimsoll -- gate --artifact /,
    ],
    ["another's verdict", () => {}, /of another artifact: of tiny, /],
    ['an edited word', edited((text) => text.replace('"FAIL"', '"PASS"')), /changed after the gate wrote it/],
    ['an edited bound', edited((text) => text.replace('0.015', '0.001')), /changed after the gate wrote it/],
    ['half a file', edited((text) => text.slice(0, text.length / 2)), /verdict\.json.* is not valid JSON/],
    [
      'another schema version',
      edited((text) => text.replace('_version": 2', '_version": 3')),
      /"schema_version"/,
    ],
    ['FAIL', (folder) => layVerdict(folder, { verdict: 'FAIL' }), /said FAIL/],
    [
      'INCONCLUSIVE',
      (folder) =>
        layVerdict(folder, {
          verdict: 'INCONCLUSIVE',
          conditions: [PASSED, { ...PASSED, name: 'slice/law', verdict: 'INCONCLUSIVE', n: 7 }],
        }),
      /said INCONCLUSIVE .*: slice\/law is INCONCLUSIVE: value 0\.004, bounds -0\.002 to 0\.015, limit at most 0\.02, n 7\./,
    ],
    [
      'a word better than its conditions',
      (folder) => layVerdict(folder, { conditions: [{ ...PASSED, verdict: 'FAIL' }] }),
      /better than its own conditions/,
    ],
    ['an expired PASS', (folder) => layVerdict(folder, { issued: days(-91) }), /expired on .*Gate it again/],
    ['a PASS of the future', (folder) => layVerdict(folder, { issued: days(2) }), /Set the clock\./],
    [
      'a PASS of version 1 of another threshold',
      (folder) => layEarlierVerdict(folder, { policy: { name: 'default', version: 1, threshold: 0.1 } }),
      /of the policy default v1 with threshold 0\.1, and the artifact's is default v1 with threshold 0\.3/,
    ],
    [
      'a PASS of another version of the policy',
      (folder) => layVerdict(folder, { policy: { name: 'default', version: 2, threshold: 0.3 } }),
      /of the policy default v2 with threshold 0\.3, and the artifact's is default v1 with threshold 0\.3/,
    ],
  ])('%s: refused, unless allow_ungated lets it serve', async (_, spoil, why) => {
    const artifact = await ownTiny();
    spoil(artifact);
    await expect(createRouter(await tinyConfig({ config: { artifact } }))).rejects.toMatchObject({
      code: 'ungated',
      message: expect.stringMatching(why),
    });
    const config = await tinyConfig({ config: { artifact, allowUngated: true } });
    const router = await createRouter(config);
    expect(router.standing()).toMatchObject({ why: expect.stringMatching(why) });
    const { verdict } = await router.route({ prompt: PROMPT });
    expect(verdict).toBe(router.standing().kind);
    await router.close();
  });
});

describe('with allow_ungated', () => {
  test('all policies serve, each decision says whether its own has passed, and the start warns', async () => {
    const config = { allowUngated: true, policies: THRIFTY, defaultPolicy: 'thrifty' };
    const server = await serving({ config });
    const names = ['default', 'thrifty', 'always-cheap', 'always-strong'];
    expect((await get(`${server.url}/readyz`)).body).toMatchObject({
      policies: names,
      default_policy: 'thrifty',
      verdict: { status: 'PASS' },
    });
    expect(await verdictsBy(server, ...names)).toEqual(['PASS', 'none', 'none', 'PASS']);
    expect(warningsOf(server)).toEqual([
      'UNGATED, and allow_ungated is on: the default policy thrifty has not passed the gate.',
    ]);
    await server.close();
  });

  test('an artifact that failed the gate serves, and says so everywhere', async () => {
    const artifact = await ownTiny();
    layVerdict(artifact, { verdict: 'FAIL' });
    const server = await serving({ config: { allowUngated: true, artifact } });
    expect(await verdictsBy(server, 'default', 'always-cheap')).toEqual(['none', 'none']);
    const { status, body } = await get(`${server.url}/readyz`);
    expect(status).toBe(200);
    expect(readinessSchema.parse(body).verdict).toEqual({
      status: 'none',
      suite: null,
      issued: null,
      expires: null,
      why: expect.stringContaining(`The gate said FAIL of ${artifact}`),
    });
    expect(warningsOf(server)).toEqual([
      expect.stringMatching(/^UNGATED, and allow_ungated is on: The gate said FAIL /),
    ]);
    expect(JSON.parse(server.log[0]!)).toMatchObject({ verdict: 'none' });
    await server.close();
  });
});

describe('a PASS that runs out', () => {
  test('while it serves: decisions and /readyz say expired, the log once, and requests are served', async () => {
    const artifact = await ownTiny();
    const { issued } = layVerdict(artifact, { valid_for_days: 30 });
    const expiresMs = Date.parse(issued) + 30 * DAY_MS;
    let clockMs = expiresMs - 1;
    const server = await serving({ config: { artifact }, nowMs: () => clockMs });
    expect(await verdictsBy(server, 'default')).toEqual(['PASS']);
    expect((await get(`${server.url}/readyz`)).body.verdict).toMatchObject({ status: 'PASS', why: null });
    clockMs = expiresMs;
    expect(await verdictsBy(server, 'default', 'default', 'always-strong')).toEqual([
      'expired',
      'expired',
      'PASS',
    ]);
    const { status, body } = await get(`${server.url}/readyz`);
    expect([status, body.status]).toEqual([200, 'ready']);
    expect(readinessSchema.parse(body).verdict).toMatchObject({
      status: 'expired',
      suite: 'made-up-suite',
      issued,
      expires: new Date(expiresMs).toISOString(),
      why: expect.stringContaining('Gate it again'),
    });
    expect(warningsOf(server)).toEqual([expect.stringContaining('the PASS of the gate has expired')]);
    await server.close();
  });

  test.each([
    ['in six days is warned of', 84, 1],
    ['in eight days is not', 82, 0],
  ])('%s', async (_, daysAgo, warnings) => {
    const artifact = await ownTiny();
    const issued = new Date(Date.now() - daysAgo * DAY_MS).toISOString();
    layVerdict(artifact, { issued });
    const server = await serving({ config: { artifact } });
    const expires = new Date(Date.parse(issued) + 90 * DAY_MS).toISOString();
    const warning = `the PASS of the gate expires on ${expires}: gate the artifact again before`;
    expect(warningsOf(server)).toEqual(Array(warnings).fill(warning));
    await server.close();
  });
});

test('a stale router says so at start, in /readyz and in each decision, and claims no PASS', async () => {
  const server = await serving({ config: { ladder: { strong: 'another' } } });
  expect(warningsOf(server)).toEqual([expect.stringContaining('serves tiny-cheap-1, another: stale')]);
  const ready = await get(`${server.url}/readyz`);
  expect(ready.body).toMatchObject({ status: 'ready', stale: true });
  expect(readinessSchema.parse(ready.body).verdict).toMatchObject({
    status: 'stale',
    suite: 'made-up-suite',
    why: expect.stringContaining('other models than this router serves'),
  });
  const { body } = await post(`${server.url}/v1/route`, { prompt: PROMPT });
  expect(body).toMatchObject({ stale: true, verdict: 'stale', ungated_reason: 'other-models' });
  expect(await verdictsBy(server, 'always-strong')).toEqual(['PASS']); // whatever serves as the strong one
  await server.close();
});
