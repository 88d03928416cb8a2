import { z } from 'zod';
import { HUMAN, nanoUsd } from '../catalog/index.ts';
import { parseJson } from '../json/index.ts';
import type { EndedTask } from './people.ts';
import { plainReply } from './reply.ts';

const count = z.int().min(0);

/** What one task came to: a record of the stream `people`. It has no texts. */
const workRecordSchema = z.object({
  task: z.string(),
  decision_id: z.string(),
  model: z.string(),
  outcome: z.enum(['answered', 'late', 'withdrawn']),
  by: z.string().nullable(),
  minutes: z.number().min(0),
  cost_nano_usd: count,
  waited_ms: z.number(),
  /** Of a reply, by estimate: persons count none. Left out of older records. */
  usage: z.object({ input_tokens: count, output_tokens: count }).optional(),
});

/** What people came to on a request: the decision log has it not yet when the request is recorded. */
export type WorkRecord = z.infer<typeof workRecordSchema>;

export function workRecord({ task, outcome, minutes, costUsd, atMs }: EndedTask): WorkRecord {
  const { id, people, decisionId, createdMs, reply, claim } = task;
  return {
    task: id,
    decision_id: decisionId,
    model: `${HUMAN}/${people}`,
    outcome,
    by: reply?.by ?? claim?.by ?? null,
    minutes,
    cost_nano_usd: nanoUsd(costUsd),
    waited_ms: atMs - createdMs,
    ...(outcome === 'answered' && { usage: tokensOf(task) }),
  };
}

function tokensOf(task: EndedTask['task']): NonNullable<WorkRecord['usage']> {
  const { inputTokens, outputTokens } = plainReply(task).usage;
  return { input_tokens: inputTokens, output_tokens: outputTokens };
}

/** Undefined if it is none. */
export function workRecordFrom(json: string): WorkRecord | undefined {
  return workRecordSchema.safeParse(parseJson(json)).data;
}
