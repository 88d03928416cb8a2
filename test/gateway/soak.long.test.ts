import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import {
  anthropicEvents,
  anthropicResponse,
  parseAnthropicRequest,
} from '../../scripts/fake-provider/anthropic.ts';
import { type Fault, generateReply } from '../../scripts/fake-provider/index.ts';
import { openaiEvents, openaiResponse, parseOpenaiRequest } from '../../scripts/fake-provider/openai.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, QUICK_UPSTREAM, type RunningGateway, startGateway } from './running-gateway.ts';

const REQUESTS = 2_000;
const CONCURRENCY = 32;
const FAULT_SHARE = 0.1;
const REPLY = { seed: 1, words: 16, toolCalls: 1 };
/** All that leave the bytes of a whole answer as they are. */
const FAULTS: readonly Fault[] = [
  '401',
  '404',
  '408',
  '429',
  '500',
  '502',
  '503',
  '529',
  'slow-first-byte',
  'stall',
  'reset',
  'reset-first',
  'half-event',
  'html',
  'wrong-type',
  'broken-json',
  'cut',
  'error-200',
  'gzip',
  'deflate',
  'br',
];
const ID_OF: Readonly<Record<string, string>> = {
  'first/small': 'small',
  'second/large': 'large',
  'first/large': 'large',
  'claude/small': 'claude-haiku-4-5',
  'claude2/large': 'claude-sonnet-4-5',
};
const BROKEN = /broke off\. What came before is not the whole\./;

interface Sent {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

test('2,000 requests, one in ten of them into a fault: answered or refused, none lost, doubled or spliced', async () => {
  const before = openHandles();
  const file = path.join(scratchFolder(), 'decisions.jsonl');
  const running = await startGateway({
    upstream: { slowMs: 2_000, remember: 10 * REQUESTS },
    config: {
      ladder: { cheap: 'first/small', strong: 'second/large' },
      profiles: { claude: { ladder: { cheap: 'claude/small', strong: 'claude2/large' } } },
      upstream: {
        ...QUICK_UPSTREAM,
        timeouts: { first_byte_ms: 1_000, idle_ms: 1_000, total_ms: 10_000 },
        breaker: { open_ms: 50 },
        fallbacks: { 'second/large': ['first/large'] },
      },
      decision_log: { file },
    },
  });
  const client = new Agent({ connections: CONCURRENCY });
  const ends = await soak(running, client);
  expect(running.gateway.queue.atWork()).toBe(0);
  await client.close();
  await running.close();

  expect(ends).toHaveLength(REQUESTS);
  expect(ends.filter((end) => end.startsWith('WRONG'))).toEqual([]);
  const count = (kind: string) => ends.filter((end) => end === kind).length;
  // Faults that a retry or the next model makes good are not seen by the client at all.
  expect(count('whole')).toBeGreaterThan(REQUESTS * (1 - FAULT_SHARE));
  expect(count('broken')).toBeGreaterThan(0);
  expect(count('whole') + count('broken') + count('refused')).toBe(REQUESTS);

  const records = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  expect(records).toHaveLength(REQUESTS);
  expect(new Set(records.map(({ id }) => id)).size).toBe(REQUESTS);
  expect(records.filter(({ ended }) => ended === 'broken')).toHaveLength(count('broken'));
  await expect.poll(openHandles, { timeout: 10_000 }).toEqual(before);
}, 60_000);

/** How each request ended, in the order of their sending. */
async function soak({ url, artifact, first, second }: RunningGateway, client: Agent): Promise<string[]> {
  const random = seeded(20_261_121);
  const ends: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < REQUESTS) {
      const number = next++;
      if (random() < FAULT_SHARE) {
        const upstream = random() < 0.5 ? first : second;
        upstream.faults.push(FAULTS[Math.floor(random() * FAULTS.length)]!);
      }
      ends[number] = await endOf(url, requestOf(number, artifact, random), client);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return ends;
}

/** Its number is in its text, and the test upstream makes its answer of a hash of the text. */
function requestOf(number: number, { easy, hard }: RunningGateway['artifact'], random: () => number): Sent {
  const texts = random() < 0.5 ? easy : hard;
  const text = `${texts[number % texts.length]} (${number})`;
  const stream = random() < 0.5;
  return random() < 0.7
    ? { path: '/v1/chat/completions', body: { ...ask(text), stream } }
    : { path: '/v1/messages', body: { ...ask(text, 'auto:claude'), stream } };
}

async function endOf(url: string, { path: route, body }: Sent, dispatcher: Agent): Promise<string> {
  const {
    statusCode,
    headers,
    body: answer,
  } = await request(`${url}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    dispatcher,
  });
  const text = await answer.text();
  const served = String(headers['x-plimsoll-served'] ?? '');
  if (statusCode !== 200)
    return refusedCleanly(statusCode, text, route) ? 'refused' : `WRONG: ${statusCode} ${text}`;
  const expected = answerOf({ path: route, body: { ...body, model: ID_OF[served] } });
  if (text === expected) return 'whole';
  const [came, ...rest] = text.split(route === '/v1/messages' ? '\n\nevent: error\n' : '\n\ndata: {"error":');
  const broken = body['stream'] === true && rest.length === 1 && BROKEN.test(rest[0]!);
  return broken && expected.startsWith(came!.trimEnd()) ? 'broken' : `WRONG: ${served} ${text}`;
}

function refusedCleanly(status: number, text: string, route: string): boolean {
  const said = JSON.parse(text);
  const form = route === '/v1/messages' ? said.type === 'error' : said.error.param === null;
  return [429, 502, 503, 504].includes(status) && form && typeof said.error.message === 'string';
}

/** What the model that answered says to this request, and to no other. */
function answerOf({ path: route, body }: Sent): string {
  const stream = body['stream'] === true;
  if (route === '/v1/messages') {
    const reply = generateReply(parseAnthropicRequest(body), REPLY);
    return stream ? anthropicEvents(reply).join('') : JSON.stringify(anthropicResponse(reply));
  }
  const reply = generateReply(parseOpenaiRequest(body), REPLY);
  return stream ? openaiEvents(reply, false).join('') : JSON.stringify(openaiResponse(reply));
}

/** Sockets, servers and files that keep a process alive, by kind. */
function openHandles(): Record<string, number> {
  const counts: Record<string, number> = { TCPSocketWrap: 0, TCPServerWrap: 0, FSReqCallback: 0, Timeout: 0 };
  for (const kind of process.getActiveResourcesInfo()) if (kind in counts) counts[kind]!++;
  return counts;
}

/** mulberry32: the same faults at the same requests in every run, as far as 32 at once have an order. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
