import { z } from 'zod';
import { BALANCES, CAPABILITIES, type Price, type PriceTier, type TokenRates } from '../catalog/index.ts';
import { camelCased } from './camel-cased.ts';

const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[\x21-\x7e]+$/; // printable: it goes into headers and logs

const usdPerMillion = z.number().min(0).max(100_000);
const tokens = z.int().min(1).max(1_000_000_000);

const rates = z.strictObject({
  input: usdPerMillion.describe('US dollars for a million tokens of input.'),
  output: usdPerMillion.describe('US dollars for a million tokens of output.'),
  cached: usdPerMillion
    .optional()
    .describe('Of input that the provider had in its cache; input where left out.'),
  cache_write: usdPerMillion
    .optional()
    .describe('Of input that the provider wrote to its cache; input where left out.'),
  cache_write_1h: usdPerMillion
    .optional()
    .describe('Of input that it wrote to be kept for an hour; cache_write where left out.'),
});

const tier = rates.extend({
  above_input_tokens: tokens.describe('The whole request costs this where its prompt is longer.'),
});

const price = rates.extend({
  tiers: z
    .array(tier)
    .max(10)
    .refine(isByLength, 'tiers stand by above_input_tokens, the shortest first')
    .optional()
    .describe('For long prompts: each a price of its own.'),
});

/** A price, as `models` writes it. */
export const priceSchema = price.transform(priceFrom);

function priceFrom({ tiers, ...rates }: z.infer<typeof price>): Price {
  return { ...ratesFrom(rates), ...(tiers && { tiers: tiers.map(tierFrom) }) };
}

function tierFrom({ above_input_tokens: aboveInputTokens, ...rates }: z.infer<typeof tier>): PriceTier {
  return { aboveInputTokens, ...ratesFrom(rates) };
}

function ratesFrom(written: z.infer<typeof rates>): TokenRates {
  const { input, output, cached, cache_write: cacheWrite, cache_write_1h: cacheWrite1h } = written;
  return {
    inputUsd: input,
    outputUsd: output,
    ...(cached !== undefined && { cachedInputUsd: cached }),
    ...(cacheWrite !== undefined && { cacheWriteUsd: cacheWrite }),
    ...(cacheWrite1h !== undefined && { cacheWrite1hUsd: cacheWrite1h }),
  };
}

function isByLength(tiers: readonly z.infer<typeof tier>[]): boolean {
  return tiers.every(
    ({ above_input_tokens }, i) => i === 0 || above_input_tokens > tiers[i - 1]!.above_input_tokens,
  );
}

const deployment = z
  .strictObject({
    provider: z.string().min(1).describe('Provider that serves it.'),
    model: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[\x21-\x7e]+$/, 'a name of printable characters without spaces')
      .optional()
      .describe(
        "What it is called there; the model's id, or what follows the slash of its name, where left out.",
      ),
    weight: z
      .number()
      .min(0, 'a weight is 0 or more')
      .max(1_000_000)
      .default(1)
      .describe(
        'Its share of the requests, relative to the weights of the others. 0: only if all others fail.',
      ),
    price: price.transform(priceFrom).optional().describe("Replaces the model's price here."),
  })
  .transform(camelCased);

const model = z
  .strictObject({
    id: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("The provider's own name of it; what follows the slash where left out."),
    price: price.transform(priceFrom).optional().describe('Replaces the price of the table as a whole.'),
    context_window: tokens
      .optional()
      .describe('Tokens of input and output together. Nothing is excluded by one that is unknown.'),
    max_output_tokens: tokens.optional().describe('Tokens of one answer at most.'),
    capabilities: z
      .array(z.enum(CAPABILITIES))
      .optional()
      .describe(
        'All that it can; requests that need another go elsewhere. Left out: unknown, and nothing is excluded.',
      ),
    latency_class: z
      .enum(['fast', 'medium', 'slow'])
      .optional()
      .describe('How soon it replies, compared with other models.'),
    latency: z
      .strictObject({
        first_token_ms: z.number().min(0).max(600_000).describe('From the request to the first token.'),
        per_token_ms: z.number().min(0).max(60_000).describe('For each token of the answer.'),
      })
      .transform(camelCased)
      .optional()
      .describe('How soon it usually answers, in ms: believed until there are measurements.'),
    local: z
      .boolean()
      .optional()
      .describe(
        'Prompts do not leave your machines. By address where left out: loopback and private ones are local.',
      ),
    cache_prompts: z
      .boolean()
      .optional()
      .describe(
        "Of Claude at Anthropic, Vertex or Bedrock: requests without a cache_control of their own get marks for the provider's cache, behind tools, system prompt and last turn. false where left out.",
      ),
    deployments: z
      .array(deployment)
      .min(1)
      .max(64)
      .refine(
        (all) => all.some(({ weight }) => weight > 0),
        'every weight is 0: give one of them a weight above 0',
      )
      .optional()
      .describe('Places that serve this same model, in place of the provider in its name.'),
    balance: z
      .enum(BALANCES)
      .optional()
      .describe(
        'How requests without a conversation are spread over deployments: by requests at work, by weights alone, or by what is left of their limits. least_busy where left out.',
      ),
  })
  .refine((fields) => fields.balance === undefined || fields.deployments !== undefined, {
    path: ['balance'],
    error: 'balance is for a model with deployments: name them, or leave it out',
  })
  .transform(camelCased);

/** `<provider>/<model>` -> what is known about it; overrides and extends the price table that ships. */
export const modelsSchema = z.record(
  z.string().max(200).regex(MODEL_NAME, 'a model is named <provider>/<model>, such as openai/gpt-4o-mini'),
  model,
);
