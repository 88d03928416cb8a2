/** What an artifact remembers of the encoder that it was trained with. Serving with another one is refused. */
export interface EncoderIdentity {
  /** `static`, `minilm`, or `transformers:<model>`. */
  readonly id: string;
  /** sha256 over the weights and the tokenizer file, hex. */
  readonly sha256: string;
  readonly pooling: 'mean' | 'cls';
  /** Length of an embedding. */
  readonly dimension: number;
  /** Word pieces that are kept of a long text (head and tail), or null where every piece counts. */
  readonly maxTokens: number | null;
}

/**
 * Text -> embedding. Every encoder passes test/contracts/encoder-contract.ts: same text, same vector (whatever
 * was embedded before or beside it), finite values, `identity.dimension` long, any string accepted.
 */
export interface Encoder {
  readonly identity: EncoderIdentity;
  embed(text: string): Promise<Float32Array>;
  /** Frees threads and sessions; the encoder cannot be used afterwards. Safe to call twice. */
  close(): Promise<void>;
}
