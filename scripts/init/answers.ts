import { type ShippedProvider, shippedProviders } from '../../router/catalog/index.ts';

/** What the models are for; it decides what of the configuration is turned on. */
export const USES = ['chat', 'agents', 'batch'] as const;
export type Use = (typeof USES)[number];

/** How the first day begins: `measure` sends everything to the strong model and scores it, `route` routes at once. */
export const STARTS = ['measure', 'route'] as const;
export type Start = (typeof STARTS)[number];

/** A provider as it will be configured. */
export interface WantedProvider {
  readonly name: string;
  readonly kind: string;
  /** Only of an OpenAI-compatible provider. */
  readonly baseUrl?: string;
  /** Undefined: it needs none. */
  readonly keyVariable?: string;
}

export interface Answers {
  readonly providers: readonly WantedProvider[];
  /** `<provider>/<model>`. */
  readonly cheap: string;
  readonly strong: string;
  /** Rungs between them, by their names, cheapest first. */
  readonly between?: Readonly<Record<string, string>>;
  /** A configuration that there is already, as it is written: all of it is taken over but for what the answers decide. */
  readonly configured?: Readonly<Record<string, unknown>>;
  /** That somebody stated: US dollars a million tokens. */
  readonly prices?: Readonly<Record<string, { readonly input: number; readonly output: number }>>;
  readonly use: Use;
  /** Mean quality loss that is acceptable, 0 to 1. */
  readonly margin: number;
  readonly start: Start;
}

/** Providers whose key is in the environment. */
export function providersWithKeys(env: NodeJS.ProcessEnv): readonly ShippedProvider[] {
  return shippedProviders().filter(({ keyVariable }) => env[keyVariable]);
}

/** The names of the variables that are looked at. */
export function keyVariables(): readonly string[] {
  return shippedProviders().map(({ keyVariable }) => keyVariable);
}

export function wantedProvider({ kind, keyVariable }: ShippedProvider): WantedProvider {
  return { name: kind, kind, keyVariable };
}

/** An OpenAI-compatible provider, named after its host, or why the address is none. */
export function providerAt(address: string): WantedProvider | string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return 'It must be an http address, such as http://localhost:11434/v1.';
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return 'The address must have no name, password or query: a key belongs in an environment variable.';
  const name = url.hostname
    .replace(/^(?:api|www)\./, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return { name: name || 'local', kind: 'openai-compatible', baseUrl: address.replace(/\/+$/, '') };
}

/** Why a word is no name of an environment variable; a key that was typed in its place is not repeated. */
export function whyNoVariable(name: string): string | undefined {
  return /^[A-Z_][A-Z0-9_]{0,63}$/.test(name)
    ? undefined
    : 'It must be the NAME of an environment variable in upper case, such as OPENROUTER_API_KEY, never a key.';
}

/** The models that are proposed, of the first provider that has both in the price table: its newest fast one and its newest of medium speed. */
export function proposedModels(
  providers: readonly WantedProvider[],
): { readonly cheap: string; readonly strong: string } | undefined {
  for (const { name, kind } of providers) {
    const models = shippedProviders().find((one) => one.kind === kind)?.models ?? [];
    const cheap = models.findLast(({ latencyClass }) => latencyClass === 'fast');
    const strong = models.findLast(({ latencyClass }) => latencyClass === 'medium');
    if (cheap && strong) return { cheap: `${name}/${cheap.id}`, strong: `${name}/${strong.id}` };
  }
  return undefined;
}

/** Undefined if the answers can be. */
export function faultOf({ providers, cheap, strong }: Answers): string | undefined {
  const why = whyNoModel(cheap, providers) ?? whyNoModel(strong, providers);
  if (why !== undefined || cheap !== strong) return why;
  return `Cheap and strong are both ${cheap}: there is nothing to choose. Name two models.`;
}

/** Undefined if it is a model of one of the providers. */
export function whyNoModel(model: string, providers: readonly WantedProvider[]): string | undefined {
  const at = model.indexOf('/');
  const names = providers.map(({ name }) => name).join(', ');
  if (at < 1 || at === model.length - 1 || /\s/.test(model))
    return `"${model}" is no model. Write <provider>/<model>, with one of ${names}.`;
  const provider = model.slice(0, at);
  if (providers.some(({ name }) => name === provider)) return undefined;
  return `There is no provider "${provider}" for ${model}. There are: ${names}.`;
}
