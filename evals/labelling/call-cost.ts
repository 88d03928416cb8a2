import { type CatalogModel, costUsd, requirementsOf } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/** Models of one's own machines that have no price cost nothing. */
export function priceOf(model: CatalogModel): CatalogModel['price'] {
  return model.price ?? (model.local ? { inputUsd: 0, outputUsd: 0 } : undefined);
}

/** @throws PlimsollError `invalid-config` if the price is not known: a budget could not be kept */
export function requirePrice(model: CatalogModel): void {
  if (priceOf(model) !== undefined) return;
  throw new PlimsollError(
    'invalid-config',
    `The price of ${model.name} is not known, so that no budget can be kept. Give it in the configuration: models: { "${model.name}": { price: { input: 0.5, output: 1.5 } } }, in US dollars for a million tokens.`,
    { place: { field: `models.${model.name}.price` } },
  );
}

/** Tokens of what is no text, such as a picture: more than providers count for one. */
const WORST_TOKENS_OF_PART = 16_000;

/**
 * The most that a call can cost, in US dollars: the reply has max_tokens, and the prompt a token for each byte of its JSON, which no tokenizer
 * of bytes exceeds, but at least twice the estimate.
 */
export function worstCostUsd(model: CatalogModel, body: Readonly<Record<string, unknown>>): number {
  const { inputTokens, images, audio, maxOutputTokens = 0 } = requirementsOf(body, 'openai');
  const bytes = images || audio ? WORST_TOKENS_OF_PART : Buffer.byteLength(JSON.stringify(body));
  const worstInput = Math.max(2 * inputTokens, bytes);
  const worst = { inputTokens: worstInput, outputTokens: maxOutputTokens, cacheWriteInputTokens: worstInput };
  const price = priceOf(model);
  const rates = [price, ...(price?.tiers ?? [])];
  return Math.max(...rates.map((one) => costUsd(one && { ...one, tiers: [] }, worst) ?? 0));
}
