import type { Provider, ProviderKind } from '../catalog/index.ts';

/**
 * Names of OpenTelemetry's semantic conventions for generative AI, of which none is stable yet.
 * Source: opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans, "Inference", and gen-ai-metrics.
 */
export const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteInputTokens: 'gen_ai.usage.cache_creation.input_tokens',
  tokenType: 'gen_ai.token.type',
  errorType: 'error.type',
} as const;

/** The conventions' well-known values of `gen_ai.provider.name`. */
const PROVIDERS: Readonly<Record<Exclude<ProviderKind, 'openai-compatible'>, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'gcp.gemini',
  mistral: 'mistral_ai',
  bedrock: 'aws.bedrock',
};

/** Of an OpenAI-compatible address the operator's own name for it: the conventions allow values of one's own. */
export function providerName({ kind, name }: Provider): string {
  return kind === 'openai-compatible' ? name : PROVIDERS[kind];
}

/** How it failed, in few words; undefined where it did not. */
export function errorType({
  status,
  ended,
}: {
  readonly status: number;
  readonly ended: string;
}): string | undefined {
  if (status >= 400) return String(status);
  return ended === 'whole' ? undefined : ended;
}
