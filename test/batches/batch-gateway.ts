import path from 'node:path';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import type { z } from 'zod';
import type { configSchema } from '../../router/config/index.ts';
import { gatewayForTest, type RunningGateway, type Wishes } from '../gateway/running-gateway.ts';
import { scratchFolder } from '../server/hot-serving.ts';

type Written = z.input<typeof configSchema>;

export const CHAT = '/v1/chat/completions';

/** A batch as the official client gives it, with what is Plimsoll's own. */
export type BatchWithReport = OpenAI.Batch & {
  readonly plimsoll: {
    readonly requests: number;
    readonly cost_usd: string;
    readonly by_model: Readonly<Record<string, { readonly requests: number; readonly cost_usd: string }>>;
    readonly escalation_rate: number | null;
    readonly verdicts: Readonly<Record<string, number>>;
  } | null;
};

export interface OutputLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    // biome-ignore lint/suspicious/noExplicitAny: whatever the provider sends
    readonly body: any;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const DAY_MS = 86_400_000;
const TODAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS;

/**
 * A time for a fake clock, in ms since 1970: tomorrow at that time in UTC, or so many days later. The verdict of the tests' artifact is issued today, and
 * does not count before.
 */
export function fakeTime(clock: string, days = 0): number {
  const day = new Date(TODAY_MS + (1 + days) * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
  return Date.parse(`${day}T${clock}Z`);
}

/** A gateway with batches, on a state of its own. */
export function batchGateway(
  batches: Written['batches'] = {},
  { config, ...wishes }: Wishes = {},
): Promise<RunningGateway> {
  const state = { kind: 'sqlite', url: path.join(scratchFolder(), 'state.db') } as const;
  return gatewayForTest({ ...wishes, config: { state, batches, ...config } });
}

/** A line for chat completions. */
export function chatLine(customId: string, text = 'Capital of France?', more: object = {}): string {
  const body = { model: 'auto', max_tokens: 50, messages: [{ role: 'user', content: text }], ...more };
  return JSON.stringify({ custom_id: customId, method: 'POST', url: CHAT, body });
}

export function chatLines(count: number): string[] {
  return Array.from({ length: count }, (_, at) => chatLine(`line-${at}`, `Question ${at}?`));
}

export async function uploaded(openai: OpenAI, lines: readonly string[]): Promise<OpenAI.FileObject> {
  const file = await toFile(Buffer.from(`${lines.join('\n')}\n`), 'requests.jsonl');
  return openai.files.create({ file, purpose: 'batch' });
}

export async function created(
  openai: OpenAI,
  lines: readonly string[],
  endpoint: OpenAI.BatchCreateParams['endpoint'] = CHAT,
): Promise<OpenAI.Batch> {
  const { id } = await uploaded(openai, lines);
  return openai.batches.create({ input_file_id: id, endpoint, completion_window: '24h' });
}

const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

export async function ended(openai: OpenAI, id: string, withinMs = 30_000): Promise<BatchWithReport> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const batch = (await openai.batches.retrieve(id)) as BatchWithReport;
    if (ENDED.includes(batch.status)) return batch;
    if (performance.now() > untilMs) throw new Error(`still ${JSON.stringify(batch)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The lines of a file of results. */
export async function resultLines(openai: OpenAI, fileId: string | null | undefined): Promise<OutputLine[]> {
  if (fileId == null) return [];
  const text = await (await openai.files.content(fileId)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OutputLine);
}
