import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import { readMinilmFile, staticTokenizer } from '../../../router/encoders/index.ts';
import { openSession, type Session, type Tensor, tensor } from '../../../router/onnx/index.ts';
import type { BenchContext } from '../context.ts';
import { inTurns, medianCallMs, ratiosOf, spreadOf } from '../rounds.ts';
import type { Row } from '../row.ts';

const ROUNDS = 10;
const WARM_UP_ROUNDS = 2;
const TEXTS_A_ROUND = 60;

/** A whole decision with the transformer, beside the transformer's own run on tensors that lie ready. */
export async function decisionMinilm({ minilmArtifact, texts }: BenchContext): Promise<readonly Row[]> {
  const router = await createRouter(
    loadConfig(undefined, {}, { artifact: await minilmArtifact(), allowUngated: true }),
  );
  const session = await openSession(readMinilmFile('model'));
  const some = texts.slice(0, TEXTS_A_ROUND);
  const feeds = readyFeeds(some);
  const [decisions, runs] = await inTurns(
    [
      () => medianCallMs(some, (prompt) => router.route({ prompt })),
      () => medianCallMs(feeds, (feed) => session.run(feed)),
    ],
    { rounds: ROUNDS, warmUp: WARM_UP_ROUNDS },
  );
  await router.close();
  await session.release();
  return [
    {
      name: 'decision-minilm',
      what: 'one decision with the MiniLM encoder, p50, 64 word pieces, against the bare ONNX run',
      unit: 'ms',
      value: spreadOf(decisions!),
      samples: some.length,
      peer: { what: 'bare ONNX run of MiniLM', value: spreadOf(runs!) },
      ratio: ratiosOf(decisions!, runs!),
      target: { of: 'ratio', is: 'at most', required: 1.25 },
      notes: ['the decision runs in a worker thread, the bare run in the calling one; one thread each'],
    },
  ];
}

function readyFeeds(texts: readonly string[]): Parameters<Session['run']>[0][] {
  const { encode, startId, endId } = staticTokenizer();
  return texts.map((text) => {
    const ids = BigInt64Array.from([startId, ...encode(text), endId], BigInt);
    const row = (values: BigInt64Array): Tensor => tensor('int64', values, [1, ids.length]);
    return {
      input_ids: row(ids),
      attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
      token_type_ids: row(new BigInt64Array(ids.length)),
    };
  });
}
