import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { freePort, startProcess } from '../processes.ts';
import { type ReplyShape, startFakeProviderProcess, startPlimsoll } from './servers.ts';

const BARE_SCRIPT = fileURLToPath(new URL('../children/bare-pass-through.ts', import.meta.url));
const JSON_HEADERS = { 'content-type': 'application/json' };
const PORTKEY = '@portkey-ai/gateway';
/** Longer than any response of a healthy side. */
const TIMEOUT_MS = 60_000;

/** The target of a measurement: the fake provider itself, a peer, or Plimsoll. */
export interface Side {
  /** Ends in /v1. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly pid: number;
}

/** All in front of one fake provider, each in a process of its own. */
export interface Sides {
  readonly direct: Side;
  readonly bare: Side;
  readonly plimsoll: Side;
  /** Undefined if it is not installed or cannot serve the workload. */
  readonly portkey: Side | undefined;
}

export type SideName = keyof Sides;

/** Text in an event of OpenAI's streams. The first event has the role alone, and Plimsoll holds it until the model says something. */
const TEXT = /"content":"[^"]/;

/** Sends requests to a side as an application would. */
export interface Client {
  /** From sending to the last byte, in ms. @throws Error if the status is not 200 */
  plainMs(prompt: string): Promise<number>;
  /** From sending to the first text of the stream, in ms; resolves at the end of the stream. */
  firstTokenMs(prompt: string): Promise<number>;
  /** The chunks of a stream as they come. */
  stream(prompt: string): AsyncGenerator<Buffer>;
  close(): Promise<void>;
}

interface PortkeyFound {
  /** Its start script; undefined if it is missing. */
  readonly script: string | undefined;
  /** Its version, or why it is missing. */
  readonly what: string;
}

interface Closable {
  close(): Promise<void>;
}

interface Workload {
  readonly shape: ReplyShape;
  readonly stream: boolean;
}

/**
 * Starts the fake provider and all sides, measures them, and stops them whatever happens. `portkey` is the version of Portkey's
 * gateway, or why it is missing: it is not installed, or cannot serve this workload.
 */
export async function withSides<T>(
  { shape, stream }: Workload,
  measure: (sides: Sides, portkey: string) => Promise<T>,
): Promise<T> {
  const started: Closable[] = [];
  const register = <S extends Closable>(one: S): S => {
    started.push(one);
    return one;
  };
  try {
    const provider = register(await startFakeProviderProcess(shape));
    const direct = { url: provider.url, headers: JSON_HEADERS, model: 'small', pid: provider.pid };
    const bare = await bareSide(provider.url, register);
    const portkey = await portkeySide(provider.url, register);
    const problem = portkey && (await findProblem(portkey, stream));
    const plimsoll = await plimsollSide(provider.url, register);
    const { what } = findPortkey();
    return await measure(
      { direct, bare, portkey: problem === undefined ? portkey : undefined, plimsoll },
      problem === undefined ? what : `${what}: ${problem}`,
    );
  } finally {
    for (const one of started.reverse()) await one.close();
  }
}

export function createClient(side: Side): Client {
  const agent = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  const { origin, pathname } = new URL(`${side.url}/chat/completions`);
  const send = async (prompt: string, stream: boolean) => {
    const body = JSON.stringify({
      model: side.model,
      messages: [{ role: 'user', content: prompt }],
      ...(stream && { stream }),
    });
    const response = await agent.request({
      origin,
      path: pathname,
      method: 'POST',
      headers: side.headers,
      body,
    });
    if (response.statusCode === 200) return response.body;
    throw new Error(`${side.url} responded with ${response.statusCode}: ${await response.body.text()}`);
  };
  async function* stream(prompt: string): AsyncGenerator<Buffer> {
    yield* await send(prompt, true);
  }
  return {
    stream,
    async plainMs(prompt) {
      const startedMs = performance.now();
      await (await send(prompt, false)).arrayBuffer();
      return performance.now() - startedMs;
    },
    async firstTokenMs(prompt) {
      const startedMs = performance.now();
      let firstMs: number | undefined;
      for await (const chunk of stream(prompt)) {
        if (firstMs === undefined && TEXT.test(chunk.toString('latin1')))
          firstMs = performance.now() - startedMs;
      }
      if (firstMs === undefined) throw new Error(`${side.url} responded with a stream without text.`);
      return firstMs;
    },
    close: () => agent.close(),
  };
}

/** Finds Portkey's gateway, which is not a dependency: at PLIMSOLL_PORTKEY, else an installed package of that name. */
export function findPortkey(): PortkeyFound {
  const named = process.env['PLIMSOLL_PORTKEY'];
  const script = named ?? installedScript();
  if (script === undefined) {
    const how = `npm install --prefix <folder> ${PORTKEY}, then PLIMSOLL_PORTKEY=<folder>/node_modules/${PORTKEY}/build/start-server.js`;
    return { script: undefined, what: `${PORTKEY} is not installed; ${how}` };
  }
  if (!existsSync(script)) return { script: undefined, what: `PLIMSOLL_PORTKEY names no file: ${script}` };
  return { script, what: `${PORTKEY} ${versionOf(script)}` };
}

type Register = <S extends Closable>(one: S) => S;

async function bareSide(providerUrl: string, register: Register): Promise<Side> {
  const port = await freePort();
  const args = ['--import', 'tsx', BARE_SCRIPT, String(port), providerUrl];
  const { pid } = register(await startProcess('the bare pass-through', args, port));
  return { url: `http://127.0.0.1:${port}/v1`, headers: JSON_HEADERS, model: 'small', pid };
}

async function portkeySide(providerUrl: string, register: Register): Promise<Side | undefined> {
  const { script } = findPortkey();
  if (script === undefined) return undefined;
  const port = await freePort();
  const args = [script, `--port=${port}`, '--headless'];
  const { pid } = register(await startProcess('@portkey-ai/gateway', args, port));
  const headers = {
    ...JSON_HEADERS,
    authorization: 'Bearer none',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': providerUrl,
  };
  return { url: `http://127.0.0.1:${port}/v1`, headers, model: 'small', pid };
}

/** Why a side cannot be measured; undefined if it responds. */
async function findProblem(side: Side, stream: boolean): Promise<string | undefined> {
  const client = createClient(side);
  try {
    await (stream ? client.firstTokenMs('Hello') : client.plainMs('Hello'));
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    await client.close();
  }
}

async function plimsollSide(providerUrl: string, register: Register): Promise<Side> {
  const ladder = { cheap: 'local/small', strong: 'local/large' };
  const plimsoll = await startPlimsoll({ providers: { local: providerUrl }, ladder });
  register({
    async close() {
      await plimsoll.close();
      plimsoll.remove();
    },
  });
  return { url: plimsoll.url, headers: JSON_HEADERS, model: 'auto', pid: plimsoll.pid };
}

function installedScript(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${PORTKEY}/build/start-server.js`);
  } catch {
    return undefined;
  }
}

function versionOf(script: string): string {
  const manifest = path.join(path.dirname(script), '..', 'package.json');
  if (!existsSync(manifest)) return 'of unknown version';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
