import type { CatalogModel, Effort } from '../catalog/index.ts';
import { acceptedEfforts } from './reasoning.ts';

const support = (supported: boolean) => ({ supported });

/**
 * What a model can through this server, in Anthropic's form (https://docs.anthropic.com/en/api/models): a tool or a setting of Anthropic's own
 * needs a provider that speaks its dialect, everything else is mapped.
 * @returns null if the catalog does not know what the model can
 */
export function anthropicCapabilities(model: CatalogModel | undefined) {
  if (model?.capabilities === undefined) return null;
  const { capabilities, provider } = model;
  const isNative = provider.dialects.includes('anthropic');
  const efforts: readonly Effort[] = acceptedEfforts(model) ?? [];
  const reasons = efforts.some((effort) => effort !== 'none');
  const pictures = support(capabilities.has('images'));
  return {
    batch: support(provider.kind === 'anthropic' && provider.platform === undefined),
    citations: support(isNative),
    code_execution: support(isNative),
    context_management: {
      ...support(isNative),
      clear_thinking_20251015: null,
      clear_tool_uses_20250919: null,
      compact_20260112: null,
    },
    effort: {
      ...support(reasons),
      low: support(efforts.includes('low')),
      medium: support(efforts.includes('medium')),
      high: support(efforts.includes('high')),
      xhigh: support(efforts.includes('xhigh')),
      max: support(efforts.includes('max')),
    },
    image_input: pictures,
    pdf_input: pictures,
    server_tools: { ...support(isNative), code_execution: support(isNative), web_search: support(isNative) },
    structured_outputs: support(capabilities.has('structured-output')),
    thinking: {
      ...support(reasons),
      types: {
        adaptive: support(reasons),
        between_tools: support(false),
        disabled: support(true),
        enabled: support(reasons),
      },
    },
  };
}
