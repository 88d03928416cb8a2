import { estimateTokens, peopleModel, type TokenCounts } from '../catalog/index.ts';
import { mapReply, mapStreams } from '../dialects/index.ts';
import { replyContext } from '../sdk-terms/index.ts';
import type { PeopleTask } from './task.ts';

/** A person's reply, in the dialect of the client. */
export interface ClientReply {
  readonly body: object;
  readonly usage: TokenCounts;
}

/** Always the same for the same task. */
export function plainReply(task: PeopleTask): ClientReply {
  const { text, usage, counts } = replyParts(task);
  const context = contextOf(task);
  const content = [{ type: 'text', text } as const];
  const result = { content, finishReason: STOP, usage: counts, warnings: [] };
  return { body: mapReply([result], context, {}).body, usage };
}

/** The same as events. */
export async function streamedReply(
  task: PeopleTask,
): Promise<{ readonly events: AsyncIterable<string>; readonly usage: TokenCounts }> {
  const { text, usage, counts } = replyParts(task);
  const context = contextOf(task);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings: [] });
      controller.enqueue({ type: 'text-start', id: '0' });
      controller.enqueue({ type: 'text-delta', id: '0', delta: text });
      controller.enqueue({ type: 'text-end', id: '0' });
      controller.enqueue({ type: 'finish', finishReason: STOP, usage: counts });
      controller.close();
    },
  });
  const { events } = await mapStreams([stream], context, () => ({}));
  return { events, usage };
}

function contextOf({ id, people, dialect, body, reply, createdMs }: PeopleTask) {
  const model = peopleModel(people, { costPerMinuteUsd: 0, minutes: 0 });
  const context = replyContext({ model, dialect, body }, NO_NAMES);
  const own = id.replace(/^task_/, '').replaceAll('-', '');
  const created = Math.floor((reply?.atMs ?? createdMs) / 1_000);
  return { ...context, id: context.id.slice(0, -own.length) + own, created };
}

const NO_NAMES = new Map<string, string>();
const STOP = { unified: 'stop', raw: 'stop' } as const;

/** Tokens by estimate: persons count none, and clients want some. */
function replyParts({ reply, body }: PeopleTask) {
  const text = reply?.text ?? '';
  const inputTokens = estimateTokens(JSON.stringify(body));
  const outputTokens = estimateTokens(text);
  return {
    text,
    usage: { inputTokens, outputTokens, workMinutes: reply?.minutes ?? 0 },
    counts: {
      inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: outputTokens, text: outputTokens, reasoning: undefined },
    },
  };
}
