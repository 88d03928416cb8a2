import { request } from 'undici';
import { seededRandom } from '../../../router/statistics/index.ts';
import { type FakeProvider, startFakeProvider } from '../../fake-provider/index.ts';
import { type PlimsollProcess, startPlimsoll } from '../gateway/servers.ts';
import type { Row } from '../measurement.ts';
import { atOnce, figure, type StressContext } from './context.ts';

const PLACES = ['east', 'west', 'north', 'south'];
const TURNS = 25;
const WIDTH = 16;
const MODEL = 'claude-opus-5';

/** Tokens of prompts by what the cache of the provider did with them. */
interface Prompts {
  read: number;
  all: number;
}

/**
 * Conversations of agents, as Claude Code has them, at one model with four deployments, each with a cache of prompts of its own; each request goes to one
 * of two instances at random, which share nothing. Beside them the same conversations at one provider, without a router.
 */
export async function affinity({ sessions, say }: StressContext): Promise<readonly Row[]> {
  const direct = await startFakeProvider({ promptCache: true, remember: 1 });
  const places = await Promise.all(PLACES.map(() => startFakeProvider({ promptCache: true, remember: 1 })));
  const instances = [await startInstance(places), await startInstance(places)];
  try {
    const random = seededRandom(2);
    const through: Prompts = { read: 0, all: 0 };
    const without: Prompts = { read: 0, all: 0 };
    const usedPlaces = new Map<number, Set<string>>();
    say(`affinity: ${sessions} conversations of ${TURNS} turns`);
    await atOnce(sessions, WIDTH, async (session) => {
      for (let turn = 1; turn <= TURNS; turn++) {
        const body = agentRequest(session, turn);
        const { url } = instances[random() < 0.5 ? 0 : 1]!;
        const place = await send(url, 'pool/opus', body, session, through);
        usedPlaces.set(session, (usedPlaces.get(session) ?? new Set()).add(place));
        await send(direct.url, MODEL, body, session, without);
      }
    });
    const share = ({ read, all }: Prompts) => read / all;
    const moved = [...usedPlaces.values()].filter(({ size }) => size > 1).length;
    return [
      figure('affinity-cache', {
        what: 'share of the tokens of prompts that the providers read from their caches, against one provider without a router',
        unit: 'times',
        value: share(through) / share(without),
        samples: sessions * TURNS,
        target: { of: 'value', is: 'at least', required: 0.98 },
        notes: [
          `${share(through).toFixed(4)} through two instances and four deployments, ${share(without).toFixed(4)} without; ${moved} of ${sessions} conversations were at more than one deployment`,
        ],
      }),
    ];
  } finally {
    await Promise.all([...instances, ...places, direct].map((one) => one.close()));
    for (const one of instances) one.remove();
  }
}

function startInstance(places: readonly FakeProvider[]): Promise<PlimsollProcess> {
  return startPlimsoll({
    providers: {},
    ladder: { cheap: 'pool/opus', strong: 'pool/opus' },
    sections: () => ({
      providers: Object.fromEntries(
        places.map(({ url }, i) => [PLACES[i], { kind: 'anthropic', base_url: url, api_key_env: 'PATH' }]),
      ),
      models: { 'pool/opus': { id: MODEL, deployments: PLACES.map((provider) => ({ provider })) } },
    }),
  });
}

const SYSTEM = `You are an agent that works on code. ${'Read before you write, and say what you did. '.repeat(60)}`;
const TOOLS = Array.from({ length: 12 }, (_, i) => ({
  name: `tool_${i}`,
  description: `Does the ${i}th thing that an agent needs. ${'It takes a path and a text. '.repeat(10)}`,
  input_schema: { type: 'object', properties: { path: { type: 'string' }, text: { type: 'string' } } },
}));

/** The request of a turn, with all before it: marks are where Claude Code has them, behind the system prompt and the last message. */
function agentRequest(session: number, turn: number): Readonly<Record<string, unknown>> {
  const mark = { cache_control: { type: 'ephemeral' } };
  const text = (what: string, i: number) =>
    `${what} ${i} of session ${session}. ${'lorem ipsum dolor sit '.repeat(20)}`;
  const messages = Array.from({ length: 2 * turn - 1 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: [
      { type: 'text', text: text(i % 2 === 0 ? 'ask' : 'reply', i), ...(i === 2 * turn - 2 && mark) },
    ],
  }));
  return { max_tokens: 64, system: [{ type: 'text', text: SYSTEM, ...mark }], tools: TOOLS, messages };
}

interface AnthropicUsage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
}

/** @returns the deployment, if there is one */
async function send(
  url: string,
  model: string,
  body: Readonly<Record<string, unknown>>,
  session: number,
  prompts: Prompts,
): Promise<string> {
  const response = await request(`${url}/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'none',
      'x-claude-code-session-id': `00000000-0000-4000-8000-${String(session).padStart(12, '0')}`,
    },
    body: JSON.stringify({ ...body, model }),
  });
  const { usage } = (await response.body.json()) as { readonly usage?: AnthropicUsage };
  if (usage === undefined) throw new Error(`A turn got a ${response.statusCode} without usage.`);
  const {
    input_tokens: fresh,
    cache_read_input_tokens: read = 0,
    cache_creation_input_tokens: written = 0,
  } = usage;
  prompts.read += read;
  prompts.all += fresh + read + written;
  return String(response.headers['x-plimsoll-deployment'] ?? '');
}
