import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { UpstreamSettings } from '../exchange/index.ts';
import {
  type BreakerFinding,
  type BreakerState,
  type CircuitBreakers,
  createCircuitBreakers,
} from '../fallback/index.ts';
import type { SharedCache } from '../state/index.ts';

const CHANNEL = 'breakers';

const messageSchema = z.object({
  from: z.string(),
  model: z.string().max(1_000),
  finding: z.discriminatedUnion('state', [
    z.object({ state: z.literal('open'), reopensInMs: z.number().min(0) }),
    z.object({ state: z.literal('closed') }),
  ]),
});

/**
 * Circuit breakers that follow those of the other instances: a model that fails at one of them is skipped at all, and one that has recovered is
 * called again. Without Redis each instance finds out by itself.
 */
export function sharedBreakers(
  settings: UpstreamSettings['breaker'],
  onState: (model: string, state: BreakerState) => void,
  cache: SharedCache | undefined,
): CircuitBreakers {
  const from = randomUUID();
  const breakers = createCircuitBreakers(settings, onState, (model, finding: BreakerFinding) =>
    cache?.publish(CHANNEL, JSON.stringify({ from, model, finding })),
  );
  cache?.subscribe(CHANNEL, (text) => {
    const message = messageFrom(text);
    if (message !== undefined && message.from !== from) breakers.of(message.model).follow(message.finding);
  });
  return breakers;
}

/** Undefined for what another program wrote there. */
function messageFrom(text: string): z.infer<typeof messageSchema> | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
