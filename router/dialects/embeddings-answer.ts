import type { EmbedResult } from './sdk-types.ts';

/** What goes into an answer beside the vectors. */
export interface EmbeddingsContext {
  /** The catalog's name of the model, `<provider>/<model>`. */
  readonly model: string;
  readonly format: 'float' | 'base64';
  /** Undefined where the provider does not tell: then `usage` is left out. */
  readonly tokens: number | undefined;
}

/** Vectors as OpenAI's list of embeddings (https://platform.openai.com/docs/api-reference/embeddings/object), in their order. */
export function embeddingsAnswer(
  vectors: readonly (readonly number[])[],
  { model, format, tokens }: EmbeddingsContext,
): object {
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'float' ? vector : base64Of(vector),
  }));
  return {
    object: 'list',
    data,
    model,
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}

/** The sum of all calls; undefined where one of them does not tell. The SDK says NaN or 0 where the provider said nothing. */
export function tokensOf(results: readonly EmbedResult[]): number | undefined {
  const counts = results.map(({ usage }) => usage?.tokens ?? 0);
  return counts.every((count) => count > 0) ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

/** 32-bit floats, little-endian, as OpenAI writes them. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries()) {
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes.toString('base64');
}
