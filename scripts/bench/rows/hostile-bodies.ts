import { gzipSync } from 'node:zlib';

/** Requests that are cheap to send and were, or might be, expensive to serve. */
export interface HostileCase {
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
export const HOSTILE_CASES: readonly HostileCase[] = [
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
export function wireBody({ body, gzip }: HostileCase): Buffer {
  const bytes = Buffer.from(body());
  return gzip ? gzipSync(bytes) : bytes;
}
