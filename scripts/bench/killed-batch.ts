import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openState } from '../../router/state/index.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type PlimsollProcess, startPlimsoll } from './gateway/servers.ts';
import { freePort } from './processes.ts';

/** A batch whose server is to be killed. */
export interface KilledBatch {
  readonly lines: number;
  /** SIGKILLs, evenly over the batch. */
  readonly kills: number;
  /** Lines at work at once. */
  readonly concurrency: number;
  /** How long the provider takes for a reply. */
  readonly delayMs: number;
  /** An empty folder. */
  readonly folder: string;
}

/** Its outcome. */
export interface KilledBatchOutcome {
  readonly status: string;
  readonly kills: number;
  /** Lines in the output file, and how many of them have a `custom_id` of their own. */
  readonly output: { readonly lines: number; readonly distinct: number };
  /** Requests that the provider got, and those that were for a line that it had got before. */
  readonly asked: number;
  readonly askedAgain: number;
  /** Billionths of a US dollar. */
  readonly reportNanoUsd: bigint;
  readonly ledger: { readonly nanoUsd: number; readonly requests: number };
  readonly reportRequests: number;
  /** From the beginning of the upload until it was confirmed; then until the end of the batch, restarts and leases included. */
  readonly uploadSeconds: number;
  readonly seconds: number;
}

const CHAT = '/v1/chat/completions';
const POLL_MS = 200;
const NANO_DIGITS = 9;
/** Reservations of killed lines expire after a second of deadline, one of the longest call and a minute. */
const SWEPT_AFTER_MS = 75_000;

/** Runs a batch through servers that are killed on the way, and compares its files and its report with provider and ledger. */
export async function killedBatch(plan: KilledBatch): Promise<KilledBatchOutcome> {
  const provider = await startFakeProvider({ delayMs: plan.delayMs, remember: 2 * plan.lines });
  const port = await freePort();
  const file = path.join(plan.folder, 'state.db');
  let server = await start(provider, port, file, plan);
  try {
    const uploading = performance.now();
    const inputId = await upload(server.url, plan.lines);
    const uploadSeconds = (performance.now() - uploading) / 1000;
    const startedMs = performance.now();
    const wanted = { input_file_id: inputId, endpoint: CHAT, completion_window: '24h' };
    const { id } = await json(`${server.url}/batches`, wanted);
    let kills = 0;
    let batch = await json(`${server.url}/batches/${id}`);
    while (batch.status !== 'completed') {
      if (batch.status === 'failed' || batch.status === 'expired') break;
      if (
        kills < plan.kills &&
        batch.request_counts.completed >= ((kills + 1) * plan.lines) / (plan.kills + 1)
      ) {
        kills++;
        await server.kill();
        server.remove();
        server = await start(provider, port, file, plan);
      }
      await sleep(POLL_MS);
      batch = await json(`${server.url}/batches/${id}`);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const customIds = await outputOf(server.url, batch.output_file_id);
    const texts = provider.requests.map(({ body }) => JSON.stringify(body['messages']));
    const killedMs = kills === 0 ? 0 : SWEPT_AFTER_MS;
    await sleep(killedMs);
    await server.close();
    return {
      status: batch.status,
      kills,
      output: { lines: customIds.length, distinct: new Set(customIds).size },
      asked: texts.length,
      askedAgain: texts.length - new Set(texts).size,
      reportNanoUsd: nanoUsdIn(batch.plimsoll.cost_usd),
      reportRequests: batch.plimsoll.requests,
      ledger: await ledgerIn(file),
      uploadSeconds,
      seconds,
    };
  } finally {
    await server.close();
    server.remove();
    await provider.close();
  }
}

function start(
  provider: FakeProvider,
  port: number,
  file: string,
  plan: KilledBatch,
): Promise<PlimsollProcess> {
  return startPlimsoll({
    providers: { fake: provider.url },
    ladder: { cheap: 'fake/small', strong: 'fake/large' },
    upstream: { deadline_ms: 1_000, timeouts: { first_byte_ms: 1_000, idle_ms: 1_000, total_ms: 1_000 } },
    sections: () => ({
      server: { request_timeout_ms: 300_000 }, // of the upload, too
      state: { kind: 'sqlite', url: file },
      batches: { max_concurrency: plan.concurrency },
    }),
    port,
  });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the server sends
async function json(url: string, body?: object): Promise<any> {
  const posted = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(url, posted);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function upload(url: string, lines: number): Promise<string> {
  const text = Array.from({ length: lines }, (_, at) => {
    const messages = [{ role: 'user', content: `What is ${at} plus one?` }];
    const body = { model: 'auto', max_tokens: 50, messages };
    return `${JSON.stringify({ custom_id: `line-${at}`, method: 'POST', url: CHAT, body })}\n`;
  });
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob(text), 'requests.jsonl');
  const response = await fetch(`${url}/files`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(`the upload: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

async function outputOf(url: string, fileId: string): Promise<string[]> {
  const text = await (await fetch(`${url}/files/${fileId}/content`)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
}

/** What the whole ledger came to, once reservations of killed lines were swept: the batch is all that there was. */
async function ledgerIn(file: string) {
  const state = await openState({ kind: 'sqlite', url: file, migrate: 'auto' });
  try {
    await state.ledger.sweep(Date.now());
    const { nanoUsd, requests } = await state.ledger.spent('', '2000-01-01');
    return { nanoUsd, requests };
  } finally {
    await state.close();
  }
}

/** Billionths in an exact decimal number of dollars. */
export function nanoUsdIn(usd: string): bigint {
  const [whole = '', fraction = ''] = usd.split('.');
  return BigInt(whole + fraction.padEnd(NANO_DIGITS, '0'));
}
