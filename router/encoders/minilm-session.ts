import { openSession, type Tensor, tensor } from '../onnx/index.ts';
import { type Encoder, poolTokens } from './encoder.ts';
import { keepHeadAndTail, STATIC_IDENTITY } from './static.ts';
import { readMinilmFile } from './weights.ts';
import { createWordPieceTokenizer } from './word-piece.ts';

/** The weights are pinned, and they are the static encoder's, too. 256: as sentence-transformers runs this model. */
export const MINILM_IDENTITY = { ...STATIC_IDENTITY, id: 'minilm', maxTokens: 256 } as const;

const SPECIAL_TOKENS = 2; // [CLS] and [SEP]

/**
 * all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019), int8, in the calling thread, which waits while it
 * runs. One text a run and no padding: the int8 activations are scaled over the whole batch, so that a vector would
 * otherwise depend on its neighbours.
 */
export async function openMinilmSession(): Promise<Encoder> {
  const tokenizer = createWordPieceTokenizer(readMinilmFile('tokenizer'));
  const session = await openSession(readMinilmFile('model')); // one thread: the pool runs a session on each core instead
  const { dimension, maxTokens, pooling } = MINILM_IDENTITY;
  let released: Promise<void> | undefined;

  function inputIds(text: string): BigInt64Array {
    const kept = keepHeadAndTail(tokenizer.encode(text), maxTokens - SPECIAL_TOKENS);
    const ids = new BigInt64Array(kept.length + SPECIAL_TOKENS);
    ids[0] = BigInt(tokenizer.startId);
    for (let i = 0; i < kept.length; i++) ids[i + 1] = BigInt(kept[i]!);
    ids[ids.length - 1] = BigInt(tokenizer.endId);
    return ids;
  }

  return {
    identity: MINILM_IDENTITY,
    async embed(text) {
      const output = await session.run(feeds(inputIds(text)));
      return poolTokens(output['last_hidden_state']!.data as Float32Array, dimension, pooling);
    },
    close() {
      released ??= session.release();
      return released;
    },
  };
}

function feeds(ids: BigInt64Array): Record<string, Tensor> {
  const row = (values: BigInt64Array): Tensor => tensor('int64', values, [1, ids.length]);
  return {
    input_ids: row(ids),
    attention_mask: row(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: row(new BigInt64Array(ids.length)),
  };
}
