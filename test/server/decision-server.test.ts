import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { configSchema } from '../../router/config/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { get, post, serving } from './serving.ts';

/** A server without providers, closed after the check. */
async function decisionServer(check: (url: string) => Promise<void>): Promise<void> {
  const { profiles } = configSchema.parse({ profiles: { team: { ladder: { strong: 'another' } } } });
  const server = await serving({ config: { profiles } });
  try {
    await check(server.url);
  } finally {
    await server.close();
  }
}

async function metricsOf(url: string) {
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return response.text();
}

test('GET /metrics counts decisions, scores, responses, and says what the verdict is worth', async () => {
  const { easy, hard } = await tinyArtifact();
  await decisionServer(async (url) => {
    await post(`${url}/v1/route`, { prompt: easy[0] });
    await post(`${url}/v1/route/batch`, {
      requests: [{ prompt: hard[0] }, { prompt: easy[0], policy: 'always-strong' }],
    });
    await post(`${url}/v1/route`, { prompt: easy[0], explain: true });
    expect((await post(`${url}/v1/route`, '{')).status).toBe(400);
    const lines = (await metricsOf(url)).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'plimsoll_decisions_total{candidate="cheap",reason="within-threshold",policy="default",verdict="PASS"} 2',
        'plimsoll_decisions_total{candidate="strong",reason="over-threshold",policy="default",verdict="PASS"} 1',
        'plimsoll_decisions_total{candidate="strong",reason="fixed-policy",policy="always-strong",verdict="PASS"} 1',
        'plimsoll_decision_score_count{candidate="cheap"} 3',
        'plimsoll_decision_score_count{candidate="strong"} 3',
        'plimsoll_decision_predicted_loss_count 3',
        'plimsoll_http_request_duration_seconds_count{route="/v1/route",status="200"} 2',
        'plimsoll_http_request_duration_seconds_count{route="/v1/route",status="400"} 1',
        'plimsoll_http_request_duration_seconds_count{route="/v1/route/batch",status="200"} 1',
        'plimsoll_verdict_standing{verdict="PASS"} 1',
        'plimsoll_verdict_standing{verdict="none"} 0',
        'plimsoll_classifier_failures_total 0',
        'plimsoll_reloads_total{outcome="ok"} 0',
      ]),
    );
    expect(lines.find((line) => line.startsWith('plimsoll_artifact_info{'))).toMatch(
      /sha256="[0-9a-f]{64}"\} 1$/,
    );
  });
});

test('what a client writes becomes no label', async () => {
  await decisionServer(async (url) => {
    const before = (await metricsOf(url)).split('\n').length;
    for (let i = 0; i < 20; i++)
      await post(`${url}/v1/route`, { prompt: `planted ${i}`, policy: `planted-${i}` });
    const after = await metricsOf(url);
    expect(after).not.toContain('planted');
    expect(after.split('\n').length - before).toBeLessThan(20);
  });
});

test('names and types as Prometheus wants them', async () => {
  await decisionServer(async (url) => {
    const types = [...(await metricsOf(url)).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(new Set(types.map(([, name]) => name)).size).toBe(types.length);
    for (const [, name, type] of types) {
      expect(name).toMatch(/^plimsoll_[a-z_]+$/);
      expect(name!.endsWith('_total')).toBe(type === 'counter');
    }
  });
});

test('GET /v1/models lists auto, profiles and policies for both official clients', async () => {
  const ids = ['auto', 'auto:team', 'router-default', 'router-always-strong'];
  await decisionServer(async (url) => {
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused' });
    const anthropic = new Anthropic({ baseURL: url, apiKey: 'unused' });
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(ids);
    expect((await anthropic.models.list()).data.map(({ id }) => id)).toEqual(ids);
    expect(await openai.models.retrieve('auto:team')).toMatchObject({
      id: 'auto:team',
      owned_by: 'plimsoll',
    });
    await expect(openai.models.retrieve('no-such')).rejects.toMatchObject({ status: 404 });
  });
});

test('the index and the OpenAPI document have both routes', async () => {
  await decisionServer(async (url) => {
    const { body } = await get(`${url}/openapi.json`);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/v1/models', '/v1/models/{id}', '/metrics']),
    );
    const { body: index } = await get(url);
    expect(index.routes.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['/v1/models', '/metrics']),
    );
  });
});
