import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DecisionRecord } from '../../router/records/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict } from '../helpers/verdicts.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw, type Wishes } from './running-gateway.ts';

const MODELS = ['first/small', 'second/large'];
const NO_DOWNGRADE: (string | null)[] = ['PASS', null];
const DOWNGRADED = ['none', 'downgraded'];

/** A gated gateway whose cheap candidate is at one provider and whose strong one at another. */
async function twoProviders(upstream: object, config: Wishes['config'] = {}) {
  const folder = scratchFolder();
  const file = path.join(folder, 'decisions.jsonl');
  const artifact = copyAs((await tinyArtifact()).folder, path.join(folder, 'own'), MODELS);
  layVerdict(artifact);
  const running = await gatewayForTest({
    config: {
      artifact,
      ladder: { cheap: 'first/small', strong: 'second/large' },
      decision_log: { file },
      upstream: { retry: { max_retries: 0 }, ...upstream },
      ...config,
    },
  });
  const chat = async (text: string, model: string, stream = false) => {
    const response = await postRaw(running.url, '/v1/chat/completions', { ...ask(text, model), stream });
    await response.text();
    const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
    return {
      status: response.status,
      selected: header('selected'),
      served: header('served'),
      claim: [header('verdict'), header('ungated-reason')],
    };
  };
  const records = async (): Promise<DecisionRecord[]> => {
    await running.close();
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  return { ...running, chat, records };
}

describe('a reply of a cheaper model than the chosen one, after a failure', () => {
  test.each([
    ['router-always-strong', false],
    ['router-always-strong', true],
    ['auto', false],
    ['auto', true],
  ])('%s, stream %s: no verdict in headers, record and metrics', async (model, stream) => {
    const { chat, records, second, artifact, gateway } = await twoProviders({ allow_downgrade: true });
    const [hard] = artifact.hard;
    expect((await chat(hard!, model, stream)).claim).toEqual(NO_DOWNGRADE);
    second.failAlways('500');
    expect(await chat(hard!, model, stream)).toEqual({
      status: 200,
      selected: 'second/large',
      served: 'first/small',
      claim: DOWNGRADED,
    });
    const metrics = await gateway.metrics.exposition();
    expect(metrics).toContain('plimsoll_routed_answers_total{verdict="PASS",ungated_reason=""} 1');
    expect(metrics).toContain('plimsoll_routed_answers_total{verdict="none",ungated_reason="downgraded"} 1');
    const claims = (await records()).map((record) => [record.verdict, record.ungated_reason ?? null]);
    expect(claims).toEqual([NO_DOWNGRADE, DOWNGRADED]);
  });

  test('a provider that nobody can connect to is such a failure', async () => {
    const { chat, second, artifact } = await twoProviders({ allow_downgrade: true });
    await second.close();
    expect(await chat(artifact.hard[0]!, 'auto')).toMatchObject({ served: 'first/small', claim: DOWNGRADED });
  });

  test('an equal of the cheaper model is cheaper too', async () => {
    const { chat, first, second, artifact } = await twoProviders({
      allow_downgrade: true,
      fallbacks: { 'first/small': ['claude/small'] },
    });
    second.failAlways('500');
    first.faults.push('500');
    expect(await chat(artifact.hard[0]!, 'auto')).toMatchObject({
      served: 'claude/small',
      claim: DOWNGRADED,
    });
  });
});

test('a reply of an equal or a stronger model keeps the verdict', async () => {
  const fallbacks = { 'second/large': ['first/large'] };
  const { chat, first, second, artifact, records } = await twoProviders({ allow_downgrade: true, fallbacks });
  second.failAlways('500');
  expect(await chat(artifact.hard[0]!, 'auto')).toMatchObject({ served: 'first/large', claim: NO_DOWNGRADE });
  second.failAlways(undefined);
  first.failAlways('500');
  expect(await chat(artifact.easy[0]!, 'auto')).toMatchObject({
    selected: 'first/small',
    served: 'second/large',
    claim: NO_DOWNGRADE,
  });
  expect((await records()).map(({ verdict }) => verdict)).toEqual(['PASS', 'PASS']);
});

test('without allow_downgrade nothing goes down', async () => {
  const { chat, second, artifact } = await twoProviders({});
  second.failAlways('500');
  expect(await chat(artifact.hard[0]!, 'auto')).toMatchObject({ status: 503, served: null });
});
