import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from 'undici';
import { freePort, startProcess } from '../processes.ts';
import { type ReplyShape, startFakeProviderProcess, startPlimsoll } from './servers.ts';

const BARE = fileURLToPath(new URL('../children/bare-pass-through.ts', import.meta.url));
const DIALECT = { 'content-type': 'application/json' };

/** Who is asked in a row: the upstream itself, a peer, or Plimsoll. */
export interface Side {
  /** With /v1 at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly pid: number;
}

/** All in front of one upstream, each in a process of its own. */
export interface Sides {
  readonly direct: Side;
  readonly bare: Side;
  readonly plimsoll: Side;
  /** Undefined where it is not installed. */
  readonly portkey: Side | undefined;
}

export type SideName = keyof Sides;

interface Closed {
  close(): Promise<void>;
}

/** What a row asks for. */
interface Workload {
  readonly shape: ReplyShape;
  readonly stream: boolean;
}

/**
 * Starts the upstream and all sides, lets them be measured, and ends them however that goes. `portkey` is the version of Portkey's
 * gateway, or why it is missing: it is not installed, or does not answer what this row asks.
 */
export async function withSides<T>(
  { shape, stream }: Workload,
  measure: (sides: Sides, portkey: string) => Promise<T>,
): Promise<T> {
  const started: Closed[] = [];
  const kept = <S extends Closed>(one: S): S => {
    started.push(one);
    return one;
  };
  try {
    const upstream = kept(await startFakeProviderProcess(shape));
    const direct = { url: upstream.url, headers: DIALECT, model: 'small', pid: upstream.pid };
    const bare = await bareSide(upstream.url, kept);
    const portkey = await portkeySide(upstream.url, kept);
    const trouble = portkey && (await troubleOf(portkey, stream));
    const plimsoll = await plimsollSide(upstream.url, kept);
    const { what } = portkeyScript();
    return await measure(
      { direct, bare, portkey: trouble === undefined ? portkey : undefined, plimsoll },
      trouble === undefined ? what : `${what}: ${trouble}`,
    );
  } finally {
    for (const one of started.reverse()) await one.close();
  }
}

type Keep = <S extends Closed>(one: S) => S;

async function bareSide(upstream: string, kept: Keep): Promise<Side> {
  const port = await freePort();
  const args = ['--import', 'tsx', BARE, String(port), upstream];
  const { pid } = kept(await startProcess('the bare pass-through', args, port));
  return { url: `http://127.0.0.1:${port}/v1`, headers: DIALECT, model: 'small', pid };
}

async function portkeySide(upstream: string, kept: Keep): Promise<Side | undefined> {
  const { script } = portkeyScript();
  if (script === undefined) return undefined;
  const port = await freePort();
  const args = [script, `--port=${port}`, '--headless'];
  const { pid } = kept(await startProcess('@portkey-ai/gateway', args, port));
  const headers = {
    ...DIALECT,
    authorization: 'Bearer none',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': upstream,
  };
  return { url: `http://127.0.0.1:${port}/v1`, headers, model: 'small', pid };
}

/** Why a side cannot be measured; undefined where it answers. */
async function troubleOf(side: Side, stream: boolean): Promise<string | undefined> {
  const client = createClient(side);
  try {
    await (stream ? client.firstByteMs('Hello') : client.plainMs('Hello'));
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    await client.close();
  }
}

async function plimsollSide(upstream: string, kept: Keep): Promise<Side> {
  const ladder = { cheap: 'local/small', strong: 'local/large' };
  const plimsoll = await startPlimsoll({ providers: { local: upstream }, ladder });
  kept({
    async close() {
      await plimsoll.close();
      plimsoll.remove();
    },
  });
  return { url: plimsoll.url, headers: DIALECT, model: 'auto', pid: plimsoll.pid };
}

/** Above any answer of a side that is well. */
const TIMEOUT_MS = 60_000;

/** Asks a side as an application would. */
export interface Client {
  /** From sending to the last byte, in ms. @throws Error where the answer is not 200 */
  plainMs(prompt: string): Promise<number>;
  /** From sending to the first byte of the stream, in ms; resolves when the whole has come. */
  firstByteMs(prompt: string): Promise<number>;
  /** The chunks of a stream as they come. */
  stream(prompt: string): AsyncGenerator<Buffer>;
  close(): Promise<void>;
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
    const answer = await agent.request({
      origin,
      path: pathname,
      method: 'POST',
      headers: side.headers,
      body,
    });
    if (answer.statusCode === 200) return answer.body;
    throw new Error(`${side.url} answered ${answer.statusCode}: ${await answer.body.text()}`);
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
    async firstByteMs(prompt) {
      const startedMs = performance.now();
      let firstMs: number | undefined;
      for await (const _ of stream(prompt)) firstMs ??= performance.now() - startedMs;
      if (firstMs === undefined) throw new Error(`${side.url} answered with an empty stream.`);
      return firstMs;
    },
    close: () => agent.close(),
  };
}

const PACKAGE = '@portkey-ai/gateway';

interface PortkeyFound {
  /** Its start script; undefined where it is not there. */
  readonly script: string | undefined;
  /** Its version, or why it is not there. */
  readonly what: string;
}

/** Portkey's gateway, which is no dependency: where PLIMSOLL_PORTKEY says, else where a package of that name is installed. */
export function portkeyScript(): PortkeyFound {
  const named = process.env['PLIMSOLL_PORTKEY'];
  const script = named ?? installedScript();
  if (script === undefined) {
    const how = `npm install --prefix <folder> ${PACKAGE}, then PLIMSOLL_PORTKEY=<folder>/node_modules/${PACKAGE}/build/start-server.js`;
    return { script: undefined, what: `${PACKAGE} is not installed; ${how}` };
  }
  if (!existsSync(script)) return { script: undefined, what: `PLIMSOLL_PORTKEY names no file: ${script}` };
  return { script, what: `${PACKAGE} ${versionOf(script)}` };
}

function installedScript(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${PACKAGE}/build/start-server.js`);
  } catch {
    return undefined;
  }
}

function versionOf(script: string): string {
  const manifest = path.join(path.dirname(script), '..', 'package.json');
  if (!existsSync(manifest)) return 'of unknown version';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}
