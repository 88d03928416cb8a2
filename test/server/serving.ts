import type { RouterParts } from '../../router/artifact-router.ts';
import { type Config, loadConfig } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import type { Router } from '../../router/router.ts';
import { type RunningServer, startServer } from '../../router/server/start-server.ts';
import { createLogger } from '../../router/telemetry/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

export interface Serving extends RunningServer {
  readonly router: Router;
  /** What the server logged, all levels. */
  readonly log: string[];
}

interface Wishes extends RouterParts {
  readonly server?: Partial<Config['server']>;
  readonly config?: Partial<Omit<Config, 'server'>>;
  /** Stands between the server and its router. */
  readonly wrap?: (router: Router) => Router;
}

export async function tinyConfig({
  server,
  config,
}: Pick<Wishes, 'server' | 'config'> = {}): Promise<Config> {
  const defaults = loadConfig(undefined, {});
  const { folder } = await tinyArtifact();
  return { ...defaults, artifact: folder, ...config, server: { ...defaults.server, port: 0, ...server } };
}

/** A real server with a real artifact on a free port. */
export async function serving(wishes: Wishes = {}): Promise<Serving> {
  const { wrap = (same: Router) => same, ...rest } = wishes;
  const config = await tinyConfig(rest);
  const log: string[] = [];
  const logger = createLogger('debug', { write: (line) => log.push(line) });
  const router = await createRouter(config, rest);
  const server = await startServer({ config, router: wrap(router), logger });
  return { ...server, router, log };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into responses whose shape is what they check
  readonly body: any;
}

export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return read(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    }),
  );
}

export async function get(url: string, init: RequestInit = {}): Promise<Answer> {
  return read(await fetch(url, init));
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** A promise, and the hand that opens it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
