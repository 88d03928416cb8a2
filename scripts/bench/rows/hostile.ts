import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { CONSTANT_REPLY, startFakeProviderProcess, startPlimsoll } from '../gateway/servers.ts';
import { type BenchContext, type Row, spread } from '../measurement.ts';
import { watchMemory } from '../processes.ts';

/** Requests that are cheap to send and were, or might be, expensive to serve. */
interface HostileCase {
  readonly name: string;
  readonly path: string;
  /** Made when its turn comes: some have tens of megabytes. */
  readonly body: () => Buffer | string;
  /** `content-encoding: gzip`. */
  readonly gzip?: boolean;
  /** How many at once; 1 if left out. */
  readonly copies?: number;
}

const MB = 2 ** 20;
/** The gateway's largest body, less the JSON around its content. */
const LARGEST = 32 * MB - 200;

const CHAT = '/v1/chat/completions';
/** The providers of the benchmark speak OpenAI's dialect: these calls are mapped. */
const MAPPED = '/v1/messages';
const ROUTE = '/v1/route';

const filled = (piece: string, bytes: number) => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
const chat = (content: string) =>
  `{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":${content}}]}`;
const said =
  (piece: string, bytes = LARGEST) =>
  () =>
    chat(`"${filled(piece, bytes)}"`);
const list = (item: (i: number) => string, length: number) =>
  Array.from({ length }, (_, i) => item(i)).join(',');
const inFields = (fields: string) =>
  `{"model":"auto",${fields},"messages":[{"role":"user","content":"Hello"}]}`;
const numbers = () => list((i) => String((i * 7_919) % 10_007), 6_200_000).slice(0, 30 * MB);

/** Sent in this order, each to the same process. */
const HOSTILE_CASES: readonly HostileCase[] = [
  { name: 'first model no string', path: CHAT, body: () => chat('"x"').replace('{', '{"model":1,"x":"}",') },
  {
    name: 'long model',
    path: CHAT,
    body: () => chat('"x"').replace('auto', `router-a-${'a'.repeat(16_000)}!`),
  },
  {
    name: '4 MB model',
    path: CHAT,
    body: () => chat('"x"').replace('auto', `router-a-${'a-'.repeat(2 * MB)}!`),
  },
  { name: '4 MB of [, gzip', path: CHAT, body: () => filled('[', 4 * MB), gzip: true },
  { name: '1 MB of [, no gateway', path: ROUTE, body: () => filled('[', MB - 1) },
  { name: '32 MB of {},', path: CHAT, body: () => filled('{},', LARGEST) },
  { name: '32 MB of digits', path: CHAT, body: () => filled('1', LARGEST) },
  { name: '32 MB of spaces', path: CHAT, body: () => filled(' ', LARGEST) },
  { name: '32 MB of line feeds, then an error', path: CHAT, body: () => `${filled('\n', LARGEST)}x` },
  { name: '32 MB string that does not end', path: CHAT, body: () => `{"a":"${filled('a', LARGEST)}` },
  { name: '32 MB of escaped quotes, no end', path: CHAT, body: () => `{"a":"${filled('\\"', LARGEST)}` },
  { name: '32 MB text', path: CHAT, body: said('word ') },
  { name: '32 MB text, mapped', path: MAPPED, body: said('word ', 30 * MB) },
  { name: '32 MB of escaped letters', path: CHAT, body: said('\\u0041') },
  { name: '24 MB of Chinese', path: CHAT, body: said('漢字', 24 * MB) },
  { name: '32 MB of tags', path: CHAT, body: said('<task>') },
  { name: '32 MB of line ends', path: CHAT, body: said('\\n') },
  { name: '32 MB of numbers in a text', path: CHAT, body: said('12.5,') },
  { name: '79,000 field names', path: CHAT, body: () => inFields(list((i) => `"k${i}":0`, 79_000)) },
  {
    name: '27,000 objects',
    path: CHAT,
    body: () => inFields(`"tools":[${list((i) => `{"k${i}":0}`, 27_000)}]`),
  },
  {
    name: '27,000 objects, mapped',
    path: MAPPED,
    body: () => inFields(`"tools":[${list((i) => `{"k${i}":0}`, 27_000)}]`),
  },
  { name: '43,000 empty parts', path: CHAT, body: () => chat(`[${list(() => '{}', 43_000)}]`) },
  { name: '43,000 empty parts, mapped', path: MAPPED, body: () => chat(`[${list(() => '{}', 43_000)}]`) },
  {
    name: '18,000 text parts',
    path: CHAT,
    body: () => chat(`[${list(() => '{"type":"text","text":"a"}', 18_000)}]`),
  },
  {
    name: '18,000 text parts, mapped',
    path: MAPPED,
    body: () => chat(`[${list(() => '{"type":"text","text":"a"}', 18_000)}]`),
  },
  {
    name: '18,000 messages',
    path: CHAT,
    body: () => `{"model":"auto","messages":[${list(() => '{"role":"user","content":"a"}', 18_000)}]}`,
  },
  {
    name: '18,000 messages, mapped',
    path: MAPPED,
    body: () =>
      `{"model":"auto","max_tokens":9,"messages":[${list(() => '{"role":"user","content":"a"}', 18_000)}]}`,
  },
  {
    name: '43,000 messages that are none',
    path: CHAT,
    body: () => `{"model":"auto","messages":[${list(() => '{}', 43_000)}]}`,
  },
  {
    name: '43,000 messages that are none, no gateway',
    path: ROUTE,
    body: () => `{"messages":[${list(() => '{}', 43_000)}]}`,
  },
  {
    name: '43,000 parts that are none, no gateway',
    path: ROUTE,
    body: () => `{"messages":[{"role":"user","content":[${list(() => '{}', 43_000)}]}]}`,
  },
  {
    name: 'a batch of large texts, explained',
    path: `${ROUTE}/batch`,
    body: () =>
      `{"requests":[${list((i) => `{"prompt":"${filled(`word${i} `, 3_900)}","explain":true}`, 256)}]}`,
  },
  {
    name: 'eight batches of large texts',
    path: `${ROUTE}/batch`,
    copies: 8,
    body: () => `{"requests":[${list((i) => `{"prompt":"${filled(`w${i}x `, 3_900)}"}`, 256)}]}`,
  },
  { name: '24 gzip bombs of 30 MB', path: CHAT, body: said('a', 30 * MB), gzip: true, copies: 24 },
  {
    name: '24 gzip bodies of 30 MB',
    path: CHAT,
    body: () => inFields(`"x":"${numbers()}"`),
    gzip: true,
    copies: 24,
  },
  { name: '24 bodies of 30 MB', path: CHAT, body: said('word ', 30 * MB), copies: 24 },
  { name: '400 requests of 1 MB', path: CHAT, body: said('word ', MB), copies: 400 },
];

/** As it goes over the wire. */
function wireBody({ body, gzip }: HostileCase): Buffer {
  const bytes = Buffer.from(body());
  return gzip ? gzipSync(bytes) : bytes;
}

const ROUNDS = 3;
const HEAP_MB = 512;
const IDLE_MS = 2_000;
const PROBE = fileURLToPath(new URL('../children/health-probe.ts', import.meta.url));

/** Hostile requests to one small process: how long /healthz has to wait meanwhile, and the most memory that it holds. */
export async function hostile({ say }: BenchContext): Promise<readonly Row[]> {
  const upstream = await startFakeProviderProcess(CONSTANT_REPLY);
  const plimsoll = await startPlimsoll({
    providers: { demo: upstream.url },
    ladder: { cheap: 'demo/small', strong: 'demo/large' },
    nodeFlags: [`--max-old-space-size=${HEAP_MB}`],
  });
  const probe = fork(PROBE, [String(plimsoll.port)], { execArgv: ['--import', 'tsx'] });
  await once(probe, 'message');
  const memory = watchMemory(plimsoll.pid);
  const sender = new Agent({ connections: 32, pipelining: 0 });
  try {
    const delays = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      await worstDelayMs(probe);
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      note(delays, 'idle', await worstDelayMs(probe));
      for (const one of HOSTILE_CASES) {
        const body = wireBody(one);
        await worstDelayMs(probe);
        const statuses = await sendAll(`http://127.0.0.1:${plimsoll.port}`, one, body, sender);
        const delayMs = await worstDelayMs(probe);
        note(delays, one.name, delayMs);
        say(`  ${one.name}: ${delayMs.toFixed(0)} ms, ${statuses}`);
      }
      await worstDelayMs(probe);
      const received = await pipeline(plimsoll.port);
      const delayMs = await worstDelayMs(probe);
      note(delays, PIPELINED, delayMs);
      say(`  ${PIPELINED}: ${delayMs.toFixed(0)} ms, ${received} bytes of responses`);
    }
    const peakMb = Math.max(...memory.end());
    const names = [...HOSTILE_CASES.map(({ name }) => name), PIPELINED];
    return [...names.map((name) => delayRow(name, delays)), memoryRow(peakMb)];
  } finally {
    probe.disconnect();
    await sender.destroy();
    await Promise.all([plimsoll.kill(), upstream.kill()]);
    plimsoll.remove();
  }
}

const PIPELINED = '2,000 pipelined requests on one connection';

/** Short requests in one piece, until the server has responded to them or closed the connection. @returns how many bytes came back */
function pipeline(port: number): Promise<number> {
  const body = chat('"Hello"');
  const one = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  return new Promise((resolve) => {
    let received = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write(one.repeat(2_000)));
    socket.on('data', ({ length }) => {
      received += length;
    });
    socket.on('error', () => {}); // the connection is closed while we still send
    socket.on('close', () => resolve(received));
    socket.setTimeout(5_000, () => socket.destroy());
  });
}

async function worstDelayMs(probe: ChildProcess): Promise<number> {
  const answer = once(probe, 'message');
  probe.send('take');
  const [{ worstMs }] = (await answer) as [{ worstMs: number }];
  return worstMs;
}

/** @returns the statuses, each with how many got it */
async function sendAll(
  origin: string,
  { path, gzip, copies = 1 }: HostileCase,
  body: Buffer,
  dispatcher: Agent,
): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    'anthropic-version': '2023-06-01',
    ...(gzip && { 'content-encoding': 'gzip' }),
  };
  const statuses = await Promise.all(
    Array.from({ length: copies }, async () => {
      try {
        const answer = await request(`${origin}${path}`, { method: 'POST', headers, body, dispatcher });
        await answer.body.dump();
        return String(answer.statusCode);
      } catch {
        return 'broken';
      }
    }),
  );
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} x ${status}`).join(', ');
}

function note(delays: Map<string, number[]>, name: string, delayMs: number): void {
  delays.set(name, [...(delays.get(name) ?? []), delayMs]);
}

function delayRow(name: string, delays: ReadonlyMap<string, readonly number[]>): Row {
  return {
    name: `hostile, ${name}`,
    what: 'the longest delay of /healthz while the server has this to do',
    unit: 'ms',
    value: spread(delays.get(name)!),
    samples: 1,
    peer: {
      what: 'the longest delay of /healthz in two seconds without it',
      value: spread(delays.get('idle')!),
    },
    ratio: null,
    target: { of: 'value', is: 'at most', required: 500, aim: 100 },
    notes: [],
  };
}

function memoryRow(peakMb: number): Row {
  return {
    name: 'hostile, memory',
    what: `the most resident memory of the server, started with --max-old-space-size=${HEAP_MB}`,
    unit: 'MB',
    value: spread([peakMb]),
    samples: ROUNDS * (HOSTILE_CASES.length + 1),
    peer: null,
    ratio: null,
    target: { of: 'value', is: 'at most', required: 1_024 },
    notes: [],
  };
}
