import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Exchange } from './exchanges.ts';
import { sha256 } from './pinned.ts';
import { pairs, type Received } from './scripted-provider.ts';

export interface Responded {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** The connection broke off before the end. */
  readonly aborted: boolean;
}

/** Sends the request as it stands: nothing is added, followed, decompressed or retried. */
export async function sent(
  { method = 'POST', path, headers, body }: Exchange,
  url: string,
): Promise<Responded> {
  const content = bodyText(body);
  const type = content === undefined ? {} : { 'content-type': 'application/json' };
  const length = content === undefined ? {} : { 'content-length': String(Buffer.byteLength(content)) };
  const request = httpRequest(`${url}${path}`, {
    method,
    agent: false,
    headers: { ...type, ...length, ...headers },
  });
  request.end(content);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let aborted = false;
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch {
    aborted = true;
  }
  return {
    status: response.statusCode!,
    headers: pairs(response.rawHeaders),
    body: Buffer.concat(chunks).toString('utf8'),
    trailers: pairs(response.rawTrailers),
    aborted,
  };
}

function bodyText(body: unknown): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

/** Long bodies are in the fixture as a hash. */
const MAX_SHOWN = 4_000;

/** The exchange as the fixture holds it, without what is random. */
export function transcriptOf(
  exchange: Exchange,
  received: readonly Received[],
  responded: Responded,
  secrets: Readonly<Record<string, string>>,
): string {
  const { method = 'POST', path, headers = {}, body, kept = (text: string) => text } = exchange;
  const asked = shown(bodyText(body) ?? '');
  const sections = [
    `=== The client sends\n\n${method} ${path}\n${headerLines(Object.entries(headers))}\n${asked}`,
    ...received.map(
      (one) =>
        `=== The provider receives\n\n${one.method} ${one.path}\n${headerLines(ofInterest(one.headers))}\n${shown(one.body)}`,
    ),
    `=== The client receives\n\n${responseText(responded, kept)}`,
  ];
  let text = `${sections.join('\n\n')}\n`;
  for (const [secret, name] of Object.entries(secrets)) text = text.replaceAll(secret, name);
  return text;
}

function responseText(
  { status, headers, body, trailers, aborted }: Responded,
  kept: (text: string) => string,
): string {
  const said = steady(kept(body));
  const steadyHeaders = headers
    .filter(([name]) => name !== 'date')
    .map(([name, value]): [string, string] => [name, headerValue(name, value, said !== body)]);
  const end = trailers.length === 0 ? '' : `\n\n--- trailers\n${headerLines(trailers)}`;
  return `${status}\n${headerLines(steadyHeaders)}\n${said}${end}${aborted ? '\n\n--- the connection breaks off' : ''}`;
}

function headerLines(headers: Iterable<readonly [string, string]>): string {
  return [...headers].map(([name, value]) => `${name}: ${value}\n`).join('');
}

function headerValue(name: string, value: string, bodyVaries: boolean): string {
  if (name === 'x-plimsoll-overhead-ms') return '<ms>';
  return name === 'content-length' && bodyVaries ? '<length>' : steady(value);
}

/** Of the connection, and the versions of libraries. */
const NO_INTEREST = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'user-agent']);

function ofInterest(headers: Received['headers']) {
  return headers.filter(([name]) => !NO_INTEREST.has(name));
}

function shown(body: string): string {
  if (body.length <= MAX_SHOWN) return body;
  return `<${Buffer.byteLength(body)} bytes, sha256 ${sha256(body)}>`;
}

const RANDOM: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/"(chatcmpl-|msg_)[0-9a-f]{32}"/g, '"$1<id>"'],
  [/"id":"[A-Za-z0-9]{16}"/g, '"id":"<id>"'], // of tool calls, where the provider gives none
  [/"created":(?!1700000000)\d{10}/g, '"created":"<time>"'],
  [/"(latency_ms|uptime_s)":[\d.e-]+/g, '"$1":"<number>"'],
  [/"version":"\d+\.\d+\.\d+[^"]*"/g, '"version":"<version>"'],
];

function steady(text: string): string {
  return RANDOM.reduce((so, [pattern, name]) => so.replace(pattern, name), text);
}
