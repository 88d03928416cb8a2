import { bedrockAccess, type CatalogModel, type Dialect } from '../catalog/index.ts';
import { mapRequest } from '../dialects/index.ts';
import type { Mapping, ProviderCall } from '../exchange/index.ts';
import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import {
  type CallOptions,
  type Losses,
  limitFields,
  type SdkEmbeddingModel,
  type SdkModel,
  type SdkTool,
  type SdkWarning,
  unmappable,
} from '../targets/index.ts';

type MappableCall = Pick<ProviderCall, 'model' | 'dialect' | 'body' | 'unmappable' | 'mappings'>;

/** As `createMapping`, once per model: selection checks whether a model can carry a request, and the attempt sends the same mapping. */
export function sharedMapping(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { mappings, model } = call;
  const known = mappings?.get(model.name);
  if (known !== undefined) return known;
  const mapping = createMapping(call, env);
  mappings?.set(model.name, mapping);
  return mapping;
}

/**
 * Maps a chat completion or a message for a model whose provider does not speak its dialect. Nothing is sent.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, if the model's provider cannot carry the request
 */
async function createMapping(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { model, dialect, body, unmappable = 'drop-hints' } = call;
  const rehearsing = await sdkModel(model, { apiKey: 'none', env, fetch: silentFetch });
  const mapped = mapRequest(call, unmappable, await rehearsing.supportedUrls);
  const { losses, completeBody, replies, replacedNames } = mapped;
  const options = await acceptedOptions(mapped.options, { rehearsing, dialect, body, losses });
  return { options, completeBody, replies, replacedNames, dropped: losses.dropped };
}

/** The SDK's option -> the field in each dialect. */
const FIELDS: Readonly<Record<Dialect, Readonly<Record<string, string>>>> = {
  openai: {
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
    topP: 'top_p',
    topK: 'top_k',
    stopSequences: 'stop_sequences',
    responseFormat: 'output_config.format',
    reasoningEffort: 'output_config.effort',
    toolChoice: 'tool_choice',
    strict: 'tools',
  },
  responses: {
    topP: 'top_p',
    responseFormat: 'text.format',
    reasoningEffort: 'reasoning.effort',
    toolChoice: 'tool_choice',
    strict: 'tools',
  },
};

/** Names of the SDK's error classes for refusals; their messages say what is not carried. */
const REFUSALS =
  /^AI_(UnsupportedFunctionalityError|InvalidPromptError|InvalidArgumentError|TypeValidationError)$/;
/** Which settings a model takes does not depend on the conversation, which is long and checked by the mapping. */
const PROMPT: CallOptions['prompt'] = [{ role: 'user', content: [{ type: 'text', text: 'x' }] }];

export interface Rehearsal {
  /** The SDK's model over `silentFetch`, which sends nothing. */
  readonly rehearsing: SdkModel;
  readonly dialect: Dialect;
  /** The client's. */
  readonly body: MappableCall['body'];
  readonly losses: Losses;
}

/** A provider that replies with nothing. */
export const silentFetch: typeof globalThis.fetch = async () =>
  new Response(new ReadableStream({ start: (controller) => controller.close() }), {
    headers: { 'content-type': 'text/event-stream' },
  });

/**
 * Finds out from the SDK, which knows the models, which settings this very model does not take, such as a temperature for a model that
 * reasons. Nothing is sent. Costs the same for every length of a conversation.
 * @returns the options without what was dropped
 * @throws PlimsollError `invalid-input` that names the first field that may not be dropped
 */
export async function acceptedOptions(
  options: CallOptions,
  { rehearsing, dialect, body, losses }: Rehearsal,
): Promise<CallOptions> {
  const { tools, ...settings } = options;
  const short = { ...settings, prompt: PROMPT, ...(tools && { tools: tools.map(bare) }) };
  const taken: Record<string, unknown> = { ...options };
  for (const warning of await warningsOf(rehearsing, short)) {
    if (warning.type !== 'unsupported' || warning.feature.startsWith('providerOptions.')) continue;
    const { feature, details = "the chosen model's provider does not take it" } = warning;
    const why = details.replace(/\.$/, '');
    if (feature === 'maxOutputTokens') {
      // The SDK lowers it. Without one of the client's it is the catalog's, which the client cannot change.
      for (const limit of limitFields({ dialect, body })) losses.drop([limit], why);
      continue;
    }
    const field = FIELDS[dialect][feature] ?? (/tool/i.test(feature) ? 'tools' : feature);
    losses.drop(field.split('.'), why);
    delete taken[feature];
  }
  return taken as CallOptions;
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

/** Whether the SDK itself refused to send a request. Its classes are recognised by name: importing them would only serve `instanceof`. */
export function isSdkRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSALS.test(error.name);
}

/** `apiKey` undefined: the provider needs none. */
export interface SdkModelOptions {
  readonly apiKey: string | undefined;
  /** Amazon's own credentials and region, if Bedrock is called without a key. */
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: typeof globalThis.fetch;
}

/** The SDK reads a key from the environment if it is given none; this keeps it from that and is never sent. */
const NO_KEY = 'none';
/** Under this name the SDK copies options that it does not know into the body. */
const COMPATIBLE_NAME = 'upstream';

/** The SDK's model for an entry of the catalog. Each provider's code is loaded on first use. */
export async function sdkModel(entry: CatalogModel, options: SdkModelOptions): Promise<SdkModel> {
  const { id, provider } = entry;
  const settings = commonSettings(entry, options);
  switch (provider.kind) {
    case 'openai':
      return (await import('@ai-sdk/openai')).createOpenAI(settings).chat(id);
    case 'anthropic':
      return (await import('@ai-sdk/anthropic')).createAnthropic(settings)(id);
    case 'google':
      return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings)(id);
    case 'mistral':
      return (await import('@ai-sdk/mistral')).createMistral(settings)(id);
    case 'bedrock':
      return (await bedrockProvider(entry, options))(id);
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const form = { name: COMPATIBLE_NAME, includeUsage: true, supportsStructuredOutputs: true };
      return createOpenAICompatible({ ...settings, ...form }).chatModel(id);
    }
    case 'people':
      throw new TypeError(`${entry.name} is people, who are called through no API.`);
  }
}

/** The same for embeddings; undefined if the provider's API has none, or is OpenAI's own and needs no mapping. */
export async function sdkEmbeddingModel(
  entry: CatalogModel,
  options: SdkModelOptions,
): Promise<SdkEmbeddingModel | undefined> {
  const { id, provider } = entry;
  if (provider.platform === 'vertex') return undefined; // by another API
  const settings = commonSettings(entry, options);
  switch (provider.kind) {
    case 'google':
      return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings).embeddingModel(id);
    case 'mistral':
      return (await import('@ai-sdk/mistral')).createMistral(settings).embeddingModel(id);
    case 'bedrock':
      return (await bedrockProvider(entry, options)).embeddingModel(id);
    default:
      return undefined;
  }
}

function commonSettings({ provider }: CatalogModel, { apiKey = NO_KEY, fetch }: SdkModelOptions) {
  return { baseURL: provider.baseUrl, apiKey, headers: { ...provider.headers }, fetch };
}

async function bedrockProvider({ provider }: CatalogModel, { apiKey, env, fetch }: SdkModelOptions) {
  const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
  const { baseUrl: baseURL, headers } = provider;
  return createAmazonBedrock({
    baseURL,
    headers: { ...headers },
    fetch,
    ...bedrockAccess(baseURL, apiKey, env),
  });
}

/** Counters want no limit of a reply, and Anthropic's requests for one have to have it. */
const ANY_LIMIT = { max_tokens: 1 };

/** The body of the request that the SDK would send for a reply. Nothing is sent. @throws PlimsollError as createMapping */
export async function mappedBody(call: MappableCall, env: NodeJS.ProcessEnv): Promise<JsonObject> {
  const { options, completeBody = (text) => text } = await sharedMapping(
    { ...call, body: { ...ANY_LIMIT, ...call.body } },
    env,
  );
  let body: unknown;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    body = parseJson(completeBody(String(init?.body)));
    return silentFetch(input, init);
  };
  const model = await sdkModel(call.model, { apiKey: 'none', env, fetch });
  await model.doGenerate(options).then(undefined, () => {}); // there is no reply to read
  return isObject(body) ? body : {};
}
