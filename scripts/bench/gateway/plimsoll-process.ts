import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { serveCommand } from '../served-process.ts';
import { freePort, type StartedProcess, startProcess } from './started-process.ts';

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

export interface PlimsollParts {
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
