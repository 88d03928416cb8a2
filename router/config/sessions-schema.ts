import { z } from 'zod';
import { STICKINESS, type StickinessOptions } from '../sessions/index.ts';
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
    stickiness: z
      .enum(STICKINESS)
      .default('off')
      .describe(
        'Whether conversations keep their model. off: each turn is decided anew; pinned: they go to a stronger model when the policy asks for it, and never back; priced: back too, once what it saves is worth the prompt cache that it loses.',
      ),
    margin_usd: z
      .number()
      .min(0)
      .max(1_000)
      .default(0)
      .describe('priced: the least that going back to a cheaper model must save, US dollars.'),
    weight: z
      .number()
      .min(0)
      .max(1_000)
      .default(1)
      .describe('priced: how many times the cost of the lost prompt cache must be saved.'),
    cache_ttl_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(300_000)
      .describe('priced: how long providers keep a prompt in their cache after it was last read.'),
    rescue_after: z
      .int()
      .min(0)
      .max(1_000)
      .default(0)
      .describe(
        'After this many failed rounds of tool calls in a row, a conversation goes to the next stronger model; 0: never.',
      ),
  })
  .describe('What is remembered of conversations: which model they had, and which rung a turn is on.')
  .transform((fields) => {
    const { ttlMs, maxInMemory, pinToolTurns, ...sticky } = camelCased(fields);
    const isOn = sticky.stickiness !== 'off' || sticky.rescueAfter > 0;
    return { ttlMs, maxInMemory, pinToolTurns, sticky: isOn ? (sticky as StickinessOptions) : undefined };
  });
