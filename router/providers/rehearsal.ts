import type { Dialect } from '../catalog/index.ts';
import {
  type CallOptions,
  type Losses,
  type SdkModel,
  type SdkTool,
  type SdkWarning,
  unmappable,
} from '../dialects/index.ts';

/** The SDK's names of options, in each dialect. */
const FIELDS: Readonly<Record<Dialect, Readonly<Record<string, string>>>> = {
  openai: {
    maxOutputTokens: 'max_tokens',
    topP: 'top_p',
    topK: 'top_k',
    presencePenalty: 'presence_penalty',
    frequencyPenalty: 'frequency_penalty',
    stopSequences: 'stop',
    responseFormat: 'response_format',
    reasoningEffort: 'reasoning_effort',
    toolChoice: 'tool_choice',
    strict: 'tools',
  },
  anthropic: {
    maxOutputTokens: 'max_tokens',
    topP: 'top_p',
    topK: 'top_k',
    stopSequences: 'stop_sequences',
    responseFormat: 'output_config.format',
    reasoningEffort: 'output_config.effort',
    toolChoice: 'tool_choice',
    strict: 'tools',
  },
};

/** The SDK's own refusals, by the names of their classes; their messages say what is not carried. */
const REFUSALS =
  /^AI_(UnsupportedFunctionalityError|InvalidPromptError|InvalidArgumentError|TypeValidationError)$/;
/** What the SDK knows depends on the settings. The conversation is long, and is checked where it is mapped. */
const PROMPT: CallOptions['prompt'] = [{ role: 'user', content: [{ type: 'text', text: 'x' }] }];

/** @param rehearsing - the SDK's model over `silence`, which sends nothing */
export interface Rehearsal {
  readonly rehearsing: SdkModel;
  readonly dialect: Dialect;
  readonly losses: Losses;
}

/** A provider that replies with nothing. */
export const silence: typeof globalThis.fetch = async () =>
  new Response(new ReadableStream({ start: (controller) => controller.close() }), {
    headers: { 'content-type': 'text/event-stream' },
  });

/**
 * Asks the SDK, before anything is sent, which settings this very model does not take, such as a temperature for a model that reasons:
 * the SDK knows the models. Costs the same for every length of a conversation.
 * @returns the options without what was dropped
 * @throws PlimsollError `invalid-input` that names the first field that may not be dropped
 */
export async function takenOptions(
  options: CallOptions,
  { rehearsing, dialect, losses }: Rehearsal,
): Promise<CallOptions> {
  const { tools, ...settings } = options;
  const short = { ...settings, prompt: PROMPT, ...(tools && { tools: tools.map(bare) }) };
  const taken: Record<string, unknown> = { ...options };
  for (const warning of await warningsOf(rehearsing, short)) {
    if (warning.type !== 'unsupported' || warning.feature.startsWith('providerOptions.')) continue;
    const { feature, details = "the chosen model's provider does not take it" } = warning;
    const field = FIELDS[dialect][feature] ?? (/tool/i.test(feature) ? 'tools' : feature);
    losses.drop(field.split('.'), details.replace(/\.$/, ''));
    if (feature !== 'maxOutputTokens') delete taken[feature];
  }
  return taken as unknown as CallOptions;
}

function bare(tool: SdkTool): SdkTool {
  return tool.type === 'function' ? { ...tool, inputSchema: { type: 'object', properties: {} } } : tool;
}

async function warningsOf(model: SdkModel, options: CallOptions): Promise<readonly SdkWarning[]> {
  try {
    const { stream } = await model.doStream(options);
    const { value: first } = await stream.getReader().read();
    return first?.type === 'stream-start' ? first.warnings : [];
  } catch (error) {
    if (isSdkRefusal(error)) {
      throw unmappable([], error.message.replace(/\.$/, ''));
    }
    throw error;
  }
}

/** Whether the SDK itself would not send a request. Its classes are looked up by name: an import of them would only serve `instanceof`. */
export function isSdkRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSALS.test(error.name);
}
