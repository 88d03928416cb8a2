import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import type { DecisionRecord } from '../../../router/records/index.ts';
import type { Fault } from '../../fake-provider/index.ts';
import { freePort, type StartedProcess, serveCommand, startProcess } from '../processes.ts';

/** Above what the longest run writes: one file has every record. */
const LOG_BYTES = 2 ** 34;

export interface PlimsollProcess extends StartedProcess {
  /** With /v1 at its end. */
  readonly url: string;
  readonly port: number;
  /** Of this run; gone after `close`. */
  readonly decisionLog: string;
  /** Removes configuration and decision log. */
  remove(): void;
}

interface PlimsollParts {
  /** Provider -> base URL. */
  readonly providers: Readonly<Record<string, string>>;
  /** Candidate -> model. */
  readonly ladder: Readonly<Record<'cheap' | 'strong', string>>;
  /** Part `upstream` of the configuration. */
  readonly upstream?: object;
  /** Of node itself. */
  readonly nodeFlags?: readonly string[];
}

const PRICES = { small: { input: 0.1, output: 0.4 }, large: { input: 3, output: 12 } };

/** `plimsoll serve` with the artifact that ships, with prices, decision log, metrics and log as an operator would have them. */
export async function startPlimsoll(parts: PlimsollParts): Promise<PlimsollProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-bench-'));
  const port = await freePort();
  const decisionLog = path.join(folder, 'decisions.jsonl');
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(config, stringify(configOf(parts, decisionLog)));
  const flags = ['--config', config, '--allow-ungated', '--port', String(port)];
  const { what, args } = serveCommand();
  const started = await startProcess(what, [...(parts.nodeFlags ?? []), ...args, ...flags], port);
  return {
    ...started,
    port,
    url: `http://127.0.0.1:${port}/v1`,
    decisionLog,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function configOf({ providers, ladder, upstream = {} }: PlimsollParts, decisionLog: string): object {
  const names = Object.keys(providers);
  return {
    ladder,
    providers: Object.fromEntries(
      Object.entries(providers).map(([name, url]) => [name, { kind: 'openai-compatible', base_url: url }]),
    ),
    models: Object.fromEntries(
      names.flatMap((name) =>
        Object.entries(PRICES).map(([model, price]) => [`${name}/${model}`, { price }]),
      ),
    ),
    decision_log: { file: decisionLog, max_bytes: LOG_BYTES },
    upstream,
  };
}

const SCRIPT = fileURLToPath(new URL('../../fake-provider.ts', import.meta.url));

export interface ReplyShape {
  /** Length of an answer; a stream has four events more. */
  readonly words: number;
  /** Between two events of a stream. */
  readonly chunkMs: number;
}

/** About 470 bytes, or 20 events. */
export const CONSTANT_REPLY: ReplyShape = { words: 16, chunkMs: 0 };

/** The test upstream in a process of its own. */
export interface FakeProviderProcess extends StartedProcess {
  readonly port: number;
  /** With /v1 at its end. */
  readonly url: string;
  /** The next request fails so. */
  fail(fault: Fault): Promise<void>;
}

/** @param asked the port of one that is to be started again */
export async function startFakeProviderProcess(
  { words, chunkMs }: ReplyShape,
  asked?: number,
): Promise<FakeProviderProcess> {
  const port = asked ?? (await freePort());
  const flags = ['--port', port, '--words', words, '--chunk-ms', chunkMs].map(String);
  const started = await startProcess('scripts/fake-provider.ts', ['--import', 'tsx', SCRIPT, ...flags], port);
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...started,
    port,
    url: `${origin}/v1`,
    async fail(fault) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ fault });
      const answer = await request(`${origin}/control/faults`, { method: 'POST', headers, body });
      await answer.body.dump();
    },
  };
}

/** The decision log, in the order in which requests ended. */
export function readDecisionLog(file: string): DecisionRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DecisionRecord);
}
