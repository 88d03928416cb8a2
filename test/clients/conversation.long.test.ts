import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Script } from '../../scripts/fake-provider/index.ts';
import type { RunningGateway } from '../gateway/running-gateway.ts';
import { gatewayWithAllKinds, MODELS, WAYS, type Way } from '../responses-dialect/gateways.ts';
import { CONVERSATIONS, type Conversation, type Turn } from './conversations.ts';

/** The newest of each family: they refuse the most. */
const IDS: Readonly<Record<Way, string>> = {
  openai: 'gpt-6-luna',
  compatible: 'small',
  anthropic: 'claude-sonnet-5-5',
  google: 'gemini-3.5-flash',
};

/** A turn is played when its tools are offered. The last text repeats the results of all tools of the conversation. */
const SCRIPT: Script = {
  turns: [
    { say: 'Let me look.', calls: [{ tool: 'weather', input: { city: 'Oslo' } }] },
    {
      calls: [
        { tool: 'weather', input: { city: 'Rome' } },
        { tool: 'population', input: { city: 'Rome' } },
      ],
    },
    { say: 'One more.', calls: [{ tool: 'time', input: { city: 'Bern' } }] },
  ],
};
const ALL_TOOLS = ['weather', 'population', 'time'];
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

let running: RunningGateway;
beforeAll(async () => {
  const models = Object.fromEntries(WAYS.map((way) => [MODELS[way], { id: IDS[way] }]));
  running = await gatewayWithAllKinds({
    config: { models, threads: 'on', state: { kind: 'memory' } },
    upstream: { script: SCRIPT },
  });
});
afterAll(() => running.close());

/** One turn of the person: tools run until the model calls none. */
async function say(conversation: Conversation, turn: Turn) {
  const rounds: string[][] = [];
  conversation.person(turn);
  for (;;) {
    const { text, calls } = await conversation.reply(turn);
    if (calls.length === 0) return { text, rounds };
    rounds.push(calls.map(({ name, input }) => `${name} ${JSON.stringify(input)}`));
    conversation.results(calls.map((call) => ({ ...call, output: outputOf(call.name, call.input) })));
  }
}

function outputOf(name: string, input: unknown): string {
  return `the ${name} of ${(input as { readonly city: string }).city}`;
}

/** The provider got the whole conversation so far, and its model the request. */
function expectReceived(way: Way, said: readonly string[], picture: boolean): void {
  const { path, body } = running.first.requests.at(-1)!;
  expect(String(body['model'] ?? path)).toContain(IDS[way]);
  const text = JSON.stringify(body);
  const places = said.map((words) => text.indexOf(words));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(text.includes(PICTURE)).toBe(picture);
}

const PAIRS = Object.keys(CONVERSATIONS).flatMap((api) => WAYS.map((way) => ({ api, way })));

describe.each(PAIRS)('$api at a provider of the kind $way', ({ api, way }) => {
  test('eight turns, the last of them at every other kind and back', async () => {
    const conversation = CONVERSATIONS[api]!(running);
    const model = MODELS[way];
    const said: string[] = [];
    let picture = false;
    const turn = async (text: string, more: Partial<Turn> = {}, at = way) => {
      said.push(text);
      picture ||= more.picture !== undefined;
      const reply = await say(conversation, { model: MODELS[at], text, ...more });
      expectReceived(at, said, picture);
      return reply;
    };
    expect(model).toBe(MODELS[way]);

    const text = await turn('My name is Ada.');
    expect(text).toEqual({ text: 'No tool was called.', rounds: [] });

    const tool = await turn('How is Oslo?', { tools: ['weather'] });
    expect(tool.rounds).toEqual([['weather {"city":"Oslo"}']]);
    expect(tool.text).toContain('the weather of Oslo');

    const parallel = await turn('And Rome?', { tools: ['weather', 'population'] });
    expect(parallel.rounds).toEqual([['weather {"city":"Rome"}', 'population {"city":"Rome"}']]);
    expect(parallel.text).toMatch(/weather of Oslo.*weather of Rome.*population of Rome/);

    const image = await turn('What is in this picture?', {
      picture: PICTURE,
      tools: ['weather', 'population'],
    });
    expect(image.text).toBe(parallel.text);

    const structured = await turn('Which city was it, as JSON?', { schema: SCHEMA });
    expect(JSON.parse(structured.text)).toEqual({ city: 'x' });

    const streamed = await turn('How late is it in Bern?', { tools: ALL_TOOLS, stream: true });
    expect(streamed.rounds).toEqual([['time {"city":"Bern"}']]);
    const memory = /weather of Oslo.*weather of Rome.*population of Rome.*time of Bern/;
    expect(streamed.text).toMatch(memory);

    const remembered = await turn('What did I ask for, and what is my name?', { tools: ALL_TOOLS });
    expect(remembered).toEqual({ text: streamed.text, rounds: [] });

    for (const other of [...WAYS.filter((one) => one !== way), way]) {
      const switched = await turn(`Go on at ${other}, please.`, { tools: ALL_TOOLS }, other);
      expect(switched.text).toMatch(memory);
    }
  });
});
