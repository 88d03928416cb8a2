import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import type { DecisionRecord } from '../../../router/records/index.ts';
import type { Fault } from '../../fake-provider/index.ts';
import { freePort, type StartedProcess, serveCommand, startProcess } from '../processes.ts';

const FAKE_PROVIDER = fileURLToPath(new URL('../../fake-provider.ts', import.meta.url));
/** More than the longest run writes, so that one file has every record. */
const LOG_BYTES = 2 ** 34;

export interface PlimsollProcess extends StartedProcess {
  /** Ends in /v1. */
  readonly url: string;
  readonly port: number;
  /** Deleted by `remove`. */
  readonly decisionLog: string;
  /** Deletes the folder with configuration, decision log and state. */
  remove(): void;
}

interface PlimsollOptions {
  /** Provider -> base URL. */
  readonly providers: Readonly<Record<string, string>>;
  /** Candidate -> model. */
  readonly ladder: Readonly<Record<'cheap' | 'strong', string>>;
  /** Section `upstream` of the configuration. */
  readonly upstream?: object;
  /** Sections of the configuration, in place of those that all have. @param folder that of the run, for files */
  readonly sections?: (folder: string) => object;
  /** Default: any that is free. */
  readonly port?: number;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

export interface ReplyShape {
  /** Length of a reply; a stream has four more events. */
  readonly words: number;
  /** Between two events of a stream. */
  readonly chunkMs: number;
}

/** About 470 bytes, or 20 events. */
export const CONSTANT_REPLY: ReplyShape = { words: 16, chunkMs: 0 };

/** The fake provider in a process of its own. */
export interface FakeProviderProcess extends StartedProcess {
  readonly port: number;
  /** Ends in /v1. */
  readonly url: string;
  /** Makes the next request fail this way. */
  fail(fault: Fault): Promise<void>;
}

const PRICES = { small: { input: 0.1, output: 0.4 }, large: { input: 3, output: 12 } };

/** Starts `plimsoll serve` with the shipped artifact, and with prices, decision log, metrics and log as operators have them. */
export async function startPlimsoll(options: PlimsollOptions): Promise<PlimsollProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-bench-'));
  const port = options.port ?? (await freePort());
  const decisionLog = path.join(folder, 'decisions.jsonl');
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(config, stringify(plimsollConfig(options, decisionLog, folder)));
  const flags = ['--config', config, '--allow-ungated', '--port', String(port)];
  const { what, args } = serveCommand();
  const started = await startProcess(what, [...(options.nodeFlags ?? []), ...args, ...flags], port);
  return {
    ...started,
    port,
    url: `http://127.0.0.1:${port}/v1`,
    decisionLog,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** @param requestedPort to restart one on its old port */
export async function startFakeProviderProcess(
  { words, chunkMs }: ReplyShape,
  requestedPort?: number,
): Promise<FakeProviderProcess> {
  const port = requestedPort ?? (await freePort());
  const flags = ['--port', port, '--words', words, '--chunk-ms', chunkMs].map(String);
  const started = await startProcess(
    'scripts/fake-provider.ts',
    ['--import', 'tsx', FAKE_PROVIDER, ...flags],
    port,
  );
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...started,
    port,
    url: `${origin}/v1`,
    async fail(fault) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ fault });
      const response = await request(`${origin}/control/faults`, { method: 'POST', headers, body });
      await response.body.dump();
    },
  };
}

/** The records of a decision log, in the order in which requests ended. */
export function readDecisionLog(file: string): DecisionRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DecisionRecord);
}

function plimsollConfig(
  { providers, ladder, upstream = {}, sections = () => ({}) }: PlimsollOptions,
  decisionLog: string,
  folder: string,
): object {
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
    ...sections(folder),
  };
}
