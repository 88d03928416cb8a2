import { PlimsollError } from '../errors.ts';
import type { ConfiguredKind, Platform, ProviderKind, ProviderOptions } from './types.ts';

/** What a kind of the configuration is: which API it speaks, and on whose platform if not on that of its maker. */
interface Family {
  readonly kind: ProviderKind;
  readonly platform?: Platform;
}

/** Kinds of the configuration that bring the API of another kind on a platform of their own. */
const PLATFORM_KINDS = {
  azure: { kind: 'openai', platform: 'azure' },
  vertex: { kind: 'google', platform: 'vertex' },
  'vertex-anthropic': { kind: 'anthropic', platform: 'vertex' },
} as const satisfies Readonly<Record<Exclude<ConfiguredKind, ProviderKind>, Family>>;

export function familyOf(kind: ConfiguredKind): Family {
  return Object.hasOwn(PLATFORM_KINDS, kind)
    ? PLATFORM_KINDS[kind as keyof typeof PLATFORM_KINDS]
    : { kind: kind as ProviderKind };
}

/** Azure's v1 API (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle). */
const AZURE_PATH = '/openai/v1';

/**
 * The address of a provider on a platform, without a slash at the end; undefined for other kinds.
 * @throws PlimsollError `invalid-config` if it needs what the configuration does not say
 */
export function platformAddress(name: string, options: ProviderOptions): string | undefined {
  switch (options.kind) {
    case 'azure':
      return azureAddress(name, options);
    case 'vertex':
      return vertexAddress(name, options, 'google');
    case 'vertex-anthropic':
      return vertexAddress(name, options, 'anthropic');
    default:
      return undefined;
  }
}

function azureAddress(name: string, { baseUrl }: ProviderOptions): string {
  if (baseUrl === undefined) {
    throw missing(
      name,
      'base_url',
      'give the address of the resource, such as https://name.openai.azure.com/openai/v1',
    );
  }
  const { pathname } = new URL(baseUrl);
  if (pathname.includes('/deployments/')) {
    throw missing(name, 'base_url', `end it in ${AZURE_PATH}, and name the deployment under models`);
  }
  return pathname === '/' ? baseUrl.replace(/\/*$/, AZURE_PATH) : baseUrl.replace(/\/+$/, '');
}

/** https://cloud.google.com/vertex-ai/docs/reference/rest: the location is in the host and in the path, `global` in the path alone. */
function vertexAddress(name: string, options: ProviderOptions, publisher: string): string {
  const { project, location = 'global', baseUrl } = options;
  if (project === undefined) throw missing(name, 'project', "give the id of the project at Google's cloud");
  const host = location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
  const origin = baseUrl?.replace(/\/+$/, '') ?? `https://${host}/v1`;
  return `${origin}/projects/${project}/locations/${location}/publishers/${publisher}`;
}

function missing(name: string, field: string, hint: string): PlimsollError {
  const at = `providers.${name}.${field}`;
  return new PlimsollError('invalid-config', `${at}: ${hint}.`, { place: { field: at } });
}
