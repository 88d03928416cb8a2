import type OpenAI from 'openai';
import { startFakeProvider } from '../../scripts/fake-provider/server.ts';
import {
  KEY_VARIABLE,
  type RunningGateway,
  startGateway,
  UPSTREAM_KEY,
  type Wishes,
} from '../gateway/running-gateway.ts';

/** A model behind each way to a reply: passed through, and mapped to each kind of API. The names are those of the kinds. */
export const MODELS = {
  openai: 'native/gpt-4.1-mini',
  compatible: 'compatible/small',
  anthropic: 'claude/small',
  google: 'gemini/gemini-2.5-flash',
} as const;
export type Way = keyof typeof MODELS;
export const WAYS = Object.keys(MODELS) as readonly Way[];

/** The gateway in front of one fake provider, which stands for all four as `first`, and refuses what the real ones refuse. */
export async function gatewayWithAllKinds({ config, upstream }: Wishes = {}): Promise<RunningGateway> {
  const first = await startFakeProvider({ apiKey: UPSTREAM_KEY, strict: true, ...upstream });
  const running = await startGateway({ config: { ...providersAt(first.url), ...config } });
  const close = async () => {
    await running.close();
    await first.close();
  };
  return { ...running, first, close };
}

function providersAt(url: string): NonNullable<Wishes['config']> {
  const own = { api_key_env: KEY_VARIABLE };
  return {
    ladder: { cheap: MODELS.compatible, strong: MODELS.openai },
    profiles: { claude: { ladder: { cheap: MODELS.anthropic, strong: MODELS.anthropic } } },
    providers: {
      native: { kind: 'openai', base_url: url, ...own },
      compatible: { kind: 'openai-compatible', base_url: url, ...own },
      claude: { kind: 'anthropic', base_url: url, ...own },
      gemini: { kind: 'google', base_url: url.replace(/\/v1$/, '/v1beta'), ...own },
    },
    models: {
      [MODELS.openai]: {},
      [MODELS.compatible]: {},
      [MODELS.anthropic]: { id: 'claude-sonnet-4-5' },
      [MODELS.google]: {},
    },
  };
}

export const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather at a place.',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string' } },
    required: ['location'],
    additionalProperties: false,
  },
  strict: true,
} satisfies OpenAI.Responses.FunctionTool;
