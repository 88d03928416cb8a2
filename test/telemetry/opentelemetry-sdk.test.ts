import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { ended, scratchFolder, startCli, told } from '../cli/run-cli.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

const SDK = pathToFileURL(path.join(import.meta.dirname, 'start-sdk.mjs')).href;
const TRACE_ID = 'b'.repeat(32);
const PARENT_ID = 'c'.repeat(16);
const PROMPT = 'What is the capital of Portugal?';
const PROVIDER_KEY = 'planted-key-of-the-provider';

interface Attribute {
  readonly key: string;
  readonly value: object;
}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

/** What an OTLP/HTTP collector receives, as JSON: opentelemetry.io/docs/specs/otlp. */
async function startCollector() {
  const texts: string[] = [];
  const spans: Span[] = [];
  const metrics = new Set<string>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    texts.push(text);
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(text);
    for (const { scope, spans: some = [] } of resourceSpans.flatMap(
      (one: { scopeSpans: [] }) => one.scopeSpans,
    )) {
      if (scope.name === 'plimsoll') spans.push(...some);
    }
    for (const { scope, metrics: some = [] } of resourceMetrics.flatMap(
      (one: { scopeMetrics: [] }) => one.scopeMetrics,
    )) {
      if (scope.name === 'plimsoll') for (const { name } of some) metrics.add(name);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, texts, spans, metrics, close: () => server.close() };
}

function attributesOf({ attributes }: Span): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

let artifact: string;
beforeAll(async () => {
  artifact = (await tinyArtifact()).folder;
});

test("the operator's SDK, loaded with --import, gets spans and metrics over OTLP, and no prompt or key", async () => {
  const [collector, provider] = await Promise.all([
    startCollector(),
    startFakeProvider({ apiKey: PROVIDER_KEY }),
  ]);
  const cwd = scratchFolder();
  writeFileSync(
    path.join(cwd, 'plimsoll.config.yaml'),
    `artifact: ${artifact}
ladder: { cheap: fake/small, strong: fake/large }
providers: { fake: { kind: openai-compatible, base_url: '${provider.url}', api_key_env: FAKE_API_KEY } }
models: { fake/small: {}, fake/large: {} }
server: { port: 0 }
`,
  );
  const child = startCli(['serve'], {
    cwd,
    env: {
      FAKE_API_KEY: PROVIDER_KEY,
      NODE_OPTIONS: `--import ${SDK}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
  });
  const end = ended(child);
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await end;
    collector.close();
    await provider.close();
  });
  const [, url] = await told(child, /listens on (http:[^"]*)"/);

  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: PROMPT }] }),
  });
  expect(response.status).toBe(200);
  await response.arrayBuffer();

  await vi.waitFor(
    () => {
      expect(collector.spans).toHaveLength(2);
      expect([...collector.metrics].sort()).toEqual([
        'gen_ai.client.operation.duration',
        'gen_ai.client.token.usage',
      ]);
    },
    { timeout: 20_000, interval: 50 },
  );
  const request = collector.spans.find(({ name }) => name === 'chat auto')!;
  const attempt = collector.spans.find(({ name }) => name.startsWith('attempt fake/'))!;
  expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT_ID });
  expect(attempt).toMatchObject({ traceId: TRACE_ID, parentSpanId: request.spanId });
  expect(attributesOf(request)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'fake',
    'plimsoll.decision.id': response.headers.get('x-plimsoll-decision-id'),
    'plimsoll.served': response.headers.get('x-plimsoll-served'),
  });
  expect(attributesOf(attempt)).toMatchObject({ 'http.response.status_code': expect.anything() });
  for (const text of collector.texts) {
    expect(text).not.toContain('Portugal');
    expect(text).not.toContain(PROVIDER_KEY);
  }
});
