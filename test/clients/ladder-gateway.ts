import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { openGateway } from '../../router/gateway/open-gateway.ts';
import { startServer } from '../../router/server/index.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import type { Ladder } from '../../scripts/clients/client.ts';
import { type FakeProvider, type Script, startFakeProvider } from '../../scripts/fake-provider/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

const KEY_VARIABLE = 'PLIMSOLL_TEST_CLIENTS_KEY';
const KEY = 'key-of-the-fake-provider';
export const CLIENT_KEY = 'unused-on-loopback';

/** Two calls at once after a text, then one more, then a text that repeats what they returned. */
export const WEATHER_SCRIPT: Script = {
  turns: [
    {
      say: 'Let me look.',
      calls: [
        { tool: 'weather', input: { city: 'Oslo' } },
        { tool: 'weather', input: { city: 'Rome' } },
      ],
    },
    { calls: [{ tool: 'weather', input: { city: 'Bern' } }] },
  ],
};
export const WEATHER_TEXT = 'The tools returned: sunny in Oslo and sunny in Rome and sunny in Bern';
export const WEATHER_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
};

export function weatherOf({ city }: { readonly city: string }): string {
  return `sunny in ${city}`;
}

export interface LadderGateway {
  /** Without /v1. */
  readonly url: string;
  readonly upstream: FakeProvider;
  /** The first goes to the cheap model, the second to the strong one. */
  readonly prompts: readonly [string, string];
  /** The models that the provider was asked for since the last call of this. */
  asked(): readonly string[];
  close(): Promise<void>;
}

/** The gateway on a ladder, in front of the strict fake provider in its three dialects, which plays `script` if there is one. */
export async function startLadder(
  { cheap, strong }: Pick<Ladder, 'cheap' | 'strong'>,
  script?: Script,
): Promise<LadderGateway> {
  process.env[KEY_VARIABLE] = KEY;
  const upstream = await startFakeProvider({ strict: true, apiKey: KEY, script });
  const artifact = await tinyArtifact();
  const provider = <K extends string>(kind: K) => ({
    kind,
    base_url: upstream.url,
    api_key_env: KEY_VARIABLE,
  });
  const config = configSchema.parse({
    artifact: artifact.folder,
    ladder: { cheap, strong },
    providers: { openai: provider('openai'), anthropic: provider('anthropic'), google: provider('google') },
    server: { port: 0, drain_timeout_ms: 500 },
    reload_interval_ms: 0,
  });
  const logger = createLogger('silent');
  const gateway = await openGateway(config, logger);
  const router = await createRouter(config);
  gateway.configure(config, router);
  const server = await startServer({ config, router, logger, gateway });
  return {
    url: server.url,
    upstream,
    prompts: [artifact.easy[0]!, artifact.hard[0]!],
    asked: () => upstream.requests.splice(0).map(modelOf),
    async close() {
      await server.close();
      await upstream.close();
    },
  };
}

/** `openai/gpt-6-luna` without the provider's name. */
export function idOf(model: string): string {
  return model.slice(model.indexOf('/') + 1);
}

function modelOf({ path, body }: FakeProvider['requests'][number]): string {
  return String(body['model'] ?? /models\/([^:]+)/.exec(path)?.[1]);
}
