import { z } from 'zod';
import { camelCased } from './camel-cased.ts';

/** `sessions` of plimsoll.config.yaml: what is remembered of conversations. */
export const sessionsSchema = z
  .strictObject({
    ttl_ms: z
      .int()
      .min(1_000)
      .max(30 * 86_400_000)
      .default(3_600_000)
      .describe('How long a session is remembered after its last request.'),
    max_in_memory: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(10_000)
      .describe('Sessions that this process holds; those that were used least recently make room.'),
    pin_tool_turns: z
      .boolean()
      .default(true)
      .describe('A request that goes on with results of tools stays on the rung that called them.'),
  })
  .describe('What is remembered of conversations: which model they had, and which rung a turn is on.')
  .transform(camelCased);
