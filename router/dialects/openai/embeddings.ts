import { z } from 'zod';
import type { CatalogModel, TokenCounts } from '../../catalog/index.ts';
import {
  type EmbedResult,
  NO_COUNTERPART,
  type ProviderOptions,
  parseStrictly,
  unmappable,
  withoutNulls,
} from '../../targets/index.ts';

/** The fields of POST /v1/embeddings that other APIs have too (https://platform.openai.com/docs/api-reference/embeddings/create). */
const requestSchema = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  dimensions: z.int().positive().optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
});

export interface EmbeddingsRequest {
  readonly values: readonly string[];
  readonly providerOptions: ProviderOptions | undefined;
  readonly format: 'float' | 'base64';
}

/**
 * A request for embeddings in the SDK's words. Nothing is dropped.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for every field that is unknown or that the model's
 *   provider has no counterpart for
 */
export function embeddingsRequest(
  body: Readonly<Record<string, unknown>>,
  model: CatalogModel,
): EmbeddingsRequest {
  refuseTokens(body['input']);
  const request = parseStrictly(requestSchema, withoutNulls(body));
  const { input, dimensions, encoding_format: format } = request;
  const values = typeof input === 'string' ? [input] : input;
  return { values, providerOptions: providerOptions(model, dimensions), format };
}

function refuseTokens(input: unknown): void {
  if (!Array.isArray(input) || input.every((one) => typeof one === 'string')) return;
  throw unmappable(
    ['input'],
    'must be text or a list of texts: numbers of tokens mean nothing to another model',
  );
}

/** On Bedrock, a text that is too long is an error, as in OpenAI's API; the SDK would have it truncated. */
const NEVER_TRUNCATE = 'NONE';

function providerOptions(
  { provider, id }: CatalogModel,
  dimensions: number | undefined,
): ProviderOptions | undefined {
  switch (provider.kind) {
    case 'google':
      return dimensions === undefined ? undefined : { google: { outputDimensionality: dimensions } };
    case 'bedrock':
      return {
        bedrock: {
          truncate: NEVER_TRUNCATE,
          ...(dimensions && { [bedrockDimensionsOption(id)]: dimensions }),
        },
      };
    default:
      if (dimensions === undefined) return undefined;
      throw unmappable(['dimensions'], NO_COUNTERPART);
  }
}

/** The SDK names the option by the model's family. */
function bedrockDimensionsOption(id: string): string {
  if (id.includes('cohere.embed-')) return 'outputDimension';
  return id.includes('amazon.nova-') && id.includes('embed') ? 'embeddingDimension' : 'dimensions';
}

interface EmbeddingsReply {
  readonly body: object;
  /** Undefined if the provider sent no counts: `usage` is then left out of the body. */
  readonly usage: TokenCounts | undefined;
}

/**
 * Results of the SDK, in the order of the texts, as OpenAI's list of embeddings
 * (https://platform.openai.com/docs/api-reference/embeddings/object).
 * @param model - the model's name in the catalog, `<provider>/<model>`
 */
export function embeddingsReply(
  results: readonly EmbedResult[],
  model: string,
  format: EmbeddingsRequest['format'],
): EmbeddingsReply {
  const tokens = totalTokens(results);
  const data = results
    .flatMap(({ embeddings }) => embeddings)
    .map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: format === 'float' ? vector : base64(vector),
    }));
  const usage = tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } };
  return {
    body: { object: 'list', data, model, ...usage },
    usage: tokens === undefined ? undefined : { inputTokens: tokens, outputTokens: 0 },
  };
}

/** Undefined if any count is missing, which the SDK reports as NaN or 0. */
function totalTokens(results: readonly EmbedResult[]): number | undefined {
  const counts = results.map(({ usage }) => usage?.tokens ?? 0);
  return counts.every((count) => count > 0) ? counts.reduce((sum, count) => sum + count, 0) : undefined;
}

/** 32-bit floats, little-endian, as OpenAI writes them. */
function base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries()) {
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes.toString('base64');
}
