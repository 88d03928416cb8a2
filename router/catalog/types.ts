/** How a provider is spoken to. `openai-compatible` is any address with OpenAI's API: vLLM, Ollama, llama.cpp, OpenRouter, Groq. */
export const PROVIDER_KINDS = [
  'openai',
  'anthropic',
  'google',
  'mistral',
  'bedrock',
  'openai-compatible',
] as const;
/** `people` is no kind of the configuration: requests to it are answered by persons, and no address is called. */
export type ProviderKind = (typeof PROVIDER_KINDS)[number] | 'people';

/**
 * Who runs the models of another maker under the maker's API, with addresses and credentials of its own: OpenAI's on Azure, Google's and
 * Anthropic's on Vertex AI.
 */
export type Platform = 'azure' | 'vertex';

/** What `kind` may say in the configuration. Those on a platform are a kind there: see platforms.ts. */
export type ConfiguredKind = Exclude<ProviderKind, 'people'> | 'azure' | 'vertex' | 'vertex-anthropic';

/**
 * The API that a client speaks to Plimsoll, and that some providers speak themselves: OpenAI's chat completions, Anthropic's messages,
 * OpenAI's Responses.
 */
export type Dialect = 'openai' | 'anthropic' | 'responses';

/** Who serves models: an address from the configuration, never from a request. */
export interface Provider {
  readonly name: string;
  readonly kind: ProviderKind;
  /** Undefined: that of the kind's maker, or any that copies it. */
  readonly platform?: Platform;
  /** Without a slash at the end; /chat/completions or /messages follows. */
  readonly baseUrl: string;
  /** A file that holds the token in place of a key, and is read again when it changes. */
  readonly tokenFile?: string;
  /** Name of the environment variable that holds the key, the first one of several; undefined if none is needed. */
  readonly apiKeyEnv: string | undefined;
  /** If it has several keys: the same provider with each of them alone, in the order of the configuration. */
  readonly keys?: readonly Provider[];
  /** Sent with every request; never a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers of the client that it gets besides those of its dialect, names in lower case. */
  readonly passHeaders: readonly string[];
  /** The dialects that it speaks natively: a request in one of them goes through byte for byte. Requests in others are mapped. */
  readonly dialects: readonly Dialect[];
}

export const CAPABILITIES = [
  'tools',
  'images',
  'audio',
  'structured-output',
  'reasoning',
  'caching',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** How hard a model should think, least first. `none`: not at all. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];

/** What a reply costs that a person writes. */
export interface WorkRate {
  /** US dollars, 0 or more. */
  readonly costPerMinuteUsd: number;
  /** How long one usually takes, in minutes: counts where the time at work is not known. */
  readonly minutes: number;
}

/** US dollars for a million tokens. */
export interface TokenRates {
  readonly inputUsd: number;
  readonly outputUsd: number;
  /** Price of input that the provider read from its cache; that of other input by default. */
  readonly cachedInputUsd?: number;
  /** Price of input that the provider wrote to its cache; that of other input by default. */
  readonly cacheWriteUsd?: number;
  /** Price of input that it wrote to be kept for an hour; `cacheWriteUsd` by default. */
  readonly cacheWrite1hUsd?: number;
}

/** The rates of a whole request whose prompt is longer than this many tokens. They replace the other rates as a whole. */
export interface PriceTier extends TokenRates {
  readonly aboveInputTokens: number;
}

export interface Price extends TokenRates {
  /** For long prompts; by length, the shortest first. */
  readonly tiers?: readonly PriceTier[];
  /** For people: added to what tokens cost. */
  readonly work?: WorkRate;
}

/** Tokens of a request and its reply, as the provider reported them: whole numbers, 0 or more. */
export interface TokenCounts {
  /** All of the prompt: what was read from a cache and written to one is included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  /** However long the provider keeps it. */
  readonly cacheWriteInputTokens?: number;
  /** Those of `cacheWriteInputTokens` that are kept for an hour, as Anthropic and Bedrock report them. */
  readonly cacheWrite1hInputTokens?: number;
  /** Minutes that a person was at work on the reply. */
  readonly workMinutes?: number;
}

/** No name of a model is longer: a longer `model` is refused before any pattern or list is searched for it. */
export const MAX_MODEL_CHARACTERS = 256;

/** Usual times of a model, in ms, 0 or more. */
export interface ConfiguredLatency {
  /** From sending a request to the first token of the reply. */
  readonly firstTokenMs: number;
  /** For each token of the reply. */
  readonly perTokenMs: number;
}

/** A model that requests can be sent to. */
export interface CatalogModel {
  /** `<provider>/<model>`, such as openai/gpt-4o-mini: what a request and the ladder name. */
  readonly name: string;
  readonly provider: Provider;
  /** The provider's own name of it. */
  readonly id: string;
  /** Undefined if it is not known: then there is no cost. */
  readonly price: Price | undefined;
  /** Tokens; undefined if it is not known, and then nothing is excluded by it. */
  readonly contextWindow: number | undefined;
  readonly maxOutputTokens: number | undefined;
  /** Undefined if nobody said what it can: then nothing is excluded by it. */
  readonly capabilities: ReadonlySet<Capability> | undefined;
  readonly latencyClass: 'fast' | 'medium' | 'slow' | undefined;
  /** How soon it replies, as the operator says; measurements count before it. Left out if it is not known. */
  readonly latency?: ConfiguredLatency | undefined;
  /** For a model that is named with one, `<provider>/<model>@<effort>`: each of its requests gets it. */
  readonly effort?: Effort;
  /** Prompts do not leave the operator's machines. */
  readonly local: boolean;
  /** Requests that mark nothing for the provider's cache are marked here. Default false. */
  readonly cachePrompts?: boolean;
  /** If several places serve it: the first one is that of `provider` and `id`. */
  readonly deployments?: readonly Deployment[];
  /** How requests without a conversation are spread over them. */
  readonly balance?: Balance;
  /** For a model at one of several places: `<provider>/<id>`. */
  readonly deployment?: string;
}

/**
 * How requests are spread over deployments. `least_busy`: to the one with the fewest requests at work for its weight; `weights`: by the weights
 * alone; `remaining_quota`: to the one with the largest share of its limits left.
 */
export const BALANCES = ['least_busy', 'weights', 'remaining_quota'] as const;
export type Balance = (typeof BALANCES)[number];

/** A model at one of the places that serve it: its name is the model's, provider, id and price are those of the place. */
export interface Deployment extends CatalogModel {
  readonly deployment: string;
  /** 0 or more, of all deployments together more than 0. 0: only if all others fail. */
  readonly weight: number;
}

/** How to reach a provider; its kind brings what is left out. */
export interface ProviderOptions {
  readonly kind: ConfiguredKind;
  readonly baseUrl?: string | undefined;
  /** For Google's cloud. */
  readonly project?: string | undefined;
  /** For Google's cloud. Default: global. */
  readonly location?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
  /** In its place, if there are several keys: they take turns. */
  readonly apiKeyEnvs?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly passHeaders?: readonly string[] | undefined;
  /** Whether it has OpenAI's Responses API. Default: only of the kind openai. */
  readonly responses?: boolean | undefined;
}

/** What the operator knows about a model; overrides the price table field by field. */
export interface ModelOptions {
  /** The provider's own name of it; by default what follows the slash. */
  readonly id?: string | undefined;
  /** Replaces the table's price as a whole, so that old and new rates never mix. */
  readonly price?: Price | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly capabilities?: readonly Capability[] | undefined;
  readonly latencyClass?: CatalogModel['latencyClass'];
  readonly latency?: ConfiguredLatency | undefined;
  /** By default loopback and private addresses are local. */
  readonly local?: boolean | undefined;
  readonly cachePrompts?: boolean | undefined;
  readonly deployments?: readonly DeploymentOptions[] | undefined;
  readonly balance?: Balance | undefined;
}

/** One of the places that serve a model. */
export interface DeploymentOptions {
  /** Name of a configured provider. */
  readonly provider: string;
  /** What the model is called there; by default the model's `id`, or what follows the slash of its name. */
  readonly model?: string | undefined;
  /** Default 1. */
  readonly weight?: number | undefined;
  /** Default: the model's. */
  readonly price?: Price | undefined;
}

/** The provider of people: `human/<name>` is a model that persons answer for. */
export const HUMAN = 'human';

/** Whether persons answer for the model of this name. */
export function isHuman(model: string): boolean {
  return model.startsWith(`${HUMAN}/`);
}

/** The providers by their names, and the models by `<provider>/<model>`. */
export interface CatalogOptions {
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  readonly models: Readonly<Record<string, ModelOptions>>;
  /** Name -> what their work costs. Each is a model `human/<name>`. */
  readonly people?: Readonly<Record<string, WorkRate>> | undefined;
}

export interface Catalog {
  /** All that are configured, those without models too. */
  readonly providers: readonly Provider[];
  readonly models: readonly CatalogModel[];
  /** @throws PlimsollError `not-found`, naming the nearest. */
  get(name: string): CatalogModel;
  has(name: string): boolean;
}
