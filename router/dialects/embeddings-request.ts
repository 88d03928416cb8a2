import { z } from 'zod';
import type { CatalogModel } from '../catalog/index.ts';
import type { ProviderOptions } from './sdk-types.ts';
import { parseRequest, unmappable, withoutNulls } from './unmappable.ts';

/** The fields of POST /v1/embeddings that have a meaning elsewhere (https://platform.openai.com/docs/api-reference/embeddings/create). */
const schema = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  dimensions: z.int().positive().optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
});

/** What embeddings are asked of, and in which form they are wanted. */
export interface EmbeddingsRequest {
  readonly values: readonly string[];
  readonly providerOptions: ProviderOptions | undefined;
  readonly format: 'float' | 'base64';
}

/**
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, for every field that is not known or that the
 *   model's provider has no place for. Nothing is dropped.
 */
export function embeddingsRequest(
  body: Readonly<Record<string, unknown>>,
  model: CatalogModel,
): EmbeddingsRequest {
  refuseTokens(body['input']);
  const { input, dimensions, encoding_format: format } = parseRequest(schema, withoutNulls(body));
  const values = typeof input === 'string' ? [input] : input;
  return { values, providerOptions: optionsOf(model, dimensions), format };
}

function refuseTokens(input: unknown): void {
  if (!Array.isArray(input) || input.every((one) => typeof one === 'string')) return;
  throw unmappable(
    ['input'],
    'must be text or a list of texts: numbers of tokens mean nothing to another model',
  );
}

function optionsOf(
  { provider, id }: CatalogModel,
  dimensions: number | undefined,
): ProviderOptions | undefined {
  switch (provider.kind) {
    case 'google':
      return dimensions === undefined ? undefined : { google: { outputDimensionality: dimensions } };
    case 'bedrock':
      return { bedrock: { truncate: UNCUT, ...(dimensions && { [dimensionsOnBedrock(id)]: dimensions }) } };
    default:
      if (dimensions === undefined) return undefined;
      throw unmappable(['dimensions'], "the chosen model's provider has no place for it");
  }
}

/** A text that is too long is an error, as OpenAI has it; the SDK would have its end cut off. */
const UNCUT = 'NONE';

/** The SDK's name of it, by the model families that the SDK tells apart. */
function dimensionsOnBedrock(id: string): string {
  if (id.includes('cohere.embed-')) return 'outputDimension';
  return id.includes('amazon.nova-') && id.includes('embed') ? 'embeddingDimension' : 'dimensions';
}
