import { costUsd } from '../catalog/index.ts';
import { streamContent } from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import type { Gateway, GatewayReply, GatewayRequest } from '../gateway/index.ts';
import { objectIn, parseJson, textIn } from '../json/index.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Router } from '../router.ts';
import type { AskedReply } from './playground-reply.ts';
import type { Run } from './playground-runs.ts';
import type { Visitor } from './sessions.ts';

/** What the calls of the playground are tagged with, for limits and records. */
export const PLAYGROUND_TAG = 'playground';

/** Characters of a reply: more is cut off, and the call ends. */
const LONGEST_REPLY = 262_144;

export interface AskParts {
  readonly gateway: Pick<Gateway, 'queue' | 'handle'>;
  readonly router: Router;
  readonly budget: MemoryBudget;
}

/**
 * Asks one candidate, by the gateway: with its limits, its ledger and its records, but without keeping a word. Never rejects; what goes wrong is
 * told by the reply.
 * @param maxTokens of the reply
 */
export async function askCandidate(
  reply: AskedReply,
  run: Run,
  maxTokens: number,
  visitor: Visitor,
  { gateway, router, budget }: AskParts,
): Promise<void> {
  const startedMs = performance.now();
  const entry = await gateway.queue.enter(reply.signal, visitor.keyId);
  if (entry.outcome !== 'entered') {
    return reply.fail('As many requests as the gateway takes are at work. Ask again later.');
  }
  const memory = budget.share();
  try {
    const body = bodyFor(reply.model, run, maxTokens);
    const bodyText = JSON.stringify(body);
    memory.count(2 * bodyText.length);
    const request: GatewayRequest = {
      dialect: 'openai',
      operation: 'chat',
      body,
      bodyText,
      headers: { 'x-session-id': `${run.id} ${reply.model}` }, // else it would go on the conversation of a client with the same words
      memory,
      signal: reply.signal,
      keyId: visitor.keyId,
      team: visitor.team,
      tags: [PLAYGROUND_TAG],
      task: undefined,
      startedMs,
      isPrivate: true,
    };
    await receive(await gateway.handle(request, router), reply, run, startedMs);
  } catch (error) {
    reply.fail(faultOf(error));
  } finally {
    reply.totalMs = performance.now() - startedMs;
    memory.release();
    entry.leave();
  }
}

function bodyFor(model: string, run: Run, maxTokens: number) {
  return {
    model,
    messages: messagesOf(run),
    max_tokens: maxTokens,
    stream: true,
    stream_options: { include_usage: true },
  };
}

export function messagesOf({ prompt, system }: Pick<Run, 'prompt' | 'system'>) {
  return [...(system === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: prompt }];
}

async function receive(given: GatewayReply, reply: AskedReply, run: Run, startedMs: number): Promise<void> {
  try {
    if (given.body instanceof Uint8Array) {
      const json = parseJson(Buffer.from(given.body).toString('utf8'));
      reply.fail(
        textIn(objectIn(json, 'error'), 'message') ?? `The model's provider replied with ${given.status}.`,
      );
      return given.finished('whole');
    }
    await read(given.body, reply, run, startedMs);
    given.finished(reply.isCut ? 'client-left' : 'whole');
    if (!reply.isOver) reply.state = 'done';
  } finally {
    given.finished('broken'); // does nothing after the other
    take(given.spent?.(), reply);
  }
}

async function read(
  body: AsyncIterable<Uint8Array>,
  reply: AskedReply,
  run: Run,
  startedMs: number,
): Promise<void> {
  const { SseReader } = await import('../exchange/index.ts');
  const reader = new SseReader();
  for await (const piece of body) {
    for (const { data } of reader.push(piece)) {
      const event = parseJson(data);
      const fault = textIn(objectIn(event, 'error'), 'message');
      if (fault !== undefined) reply.fail(fault);
      const { text, finishReason } = streamContent('openai', [event]);
      reply.finishReason = finishReason ?? reply.finishReason;
      if (text === undefined || reply.isOver) continue;
      reply.firstTokenMs ??= performance.now() - startedMs;
      reply.state = 'streaming';
      reply.text += text;
      if (reply.text.length <= LONGEST_REPLY && run.memory.add(2 * text.length)) continue;
      reply.text = reply.text.slice(0, LONGEST_REPLY);
      reply.isCut = true;
      return;
    }
  }
}

function take(spent: ReturnType<NonNullable<GatewayReply['spent']>> | undefined, reply: AskedReply): void {
  if (spent === undefined || spent === 'nothing-sent') return;
  const { calls } = spent;
  if (calls.length === 0) return;
  const costs = calls.map(({ model, usage }) => costUsd(model.price, usage));
  reply.inputTokens = calls.reduce((sum, { usage }) => sum + usage.inputTokens, 0);
  reply.outputTokens = calls.reduce((sum, { usage }) => sum + usage.outputTokens, 0);
  reply.costUsd = costs.reduce(
    (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
    0,
  );
}

function faultOf(error: unknown): string {
  if (error instanceof PlimsollError && error.code !== 'internal') return error.message;
  return 'The reply broke off.';
}
