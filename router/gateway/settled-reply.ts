import type { Used } from '../access/index.ts';
import type { GatewayReply } from './reply.ts';

const NANO = 1e9;

/**
 * A reply whose cost is settled before it ends: before a whole body is sent, and before the end of a stream. If the client leaves before, it is
 * settled then.
 * @param settle never rejects
 */
export async function settledReply(
  reply: GatewayReply,
  settle: (used: Used) => Promise<void>,
): Promise<GatewayReply> {
  let settling: Promise<void> | undefined;
  const settleOnce = () => {
    settling ??= settleNow(reply, settle);
    return settling;
  };
  if (reply.body instanceof Uint8Array) {
    await settleOnce();
    return reply;
  }
  return {
    ...reply,
    body: endingWith(reply.body, settleOnce),
    finished(ended) {
      reply.finished(ended);
      void settleOnce();
    },
  };
}

async function settleNow({ spent }: GatewayReply, settle: (used: Used) => Promise<void>): Promise<void> {
  const spending = spent?.();
  if (spending === undefined) return;
  const { usd, ...used } = spending;
  await settle({ ...used, nanoUsd: Math.round(usd * NANO) });
}

async function* endingWith(
  body: AsyncIterable<Uint8Array>,
  last: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    await last();
  }
}
