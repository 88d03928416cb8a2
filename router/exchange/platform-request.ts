import type { CatalogModel, Dialect, Provider } from '../catalog/index.ts';
import { type JsonEdit, jsonSplices, spliced } from '../json/index.ts';

type Header = readonly [name: string, value: string];

/** The header that a provider wants its key or token in, for a request of a dialect. */
export function keyHeader({ kind, platform, tokenFile }: Provider, dialect: Dialect, key: string): Header {
  if (platform === 'azure' && tokenFile === undefined) return ['api-key', key];
  if (dialect === 'anthropic' && kind === 'anthropic' && platform === undefined) return ['x-api-key', key];
  return ['authorization', `Bearer ${key}`];
}

/** Headers in which the AI SDK sends a key, by its own rules. */
const SDK_KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;

/** A request of the AI SDK's for the maker's own API, as the platform wants it. `path` is without its query. */
interface SdkRequest {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the platform of a model's provider wants changed in a request of the SDK's; the request itself if it has none. */
export function onPlatform(request: SdkRequest, { model, stream }: PlatformCall): SdkRequest {
  const { provider } = model;
  if (provider.platform === undefined) return request;
  const headers = { ...request.headers };
  const sent = SDK_KEY_HEADERS.map((name) => headers[name]).find((value) => value !== undefined);
  for (const name of SDK_KEY_HEADERS) delete headers[name];
  if (sent !== undefined) {
    const [name, value] = keyHeader(provider, 'openai', sent.replace(/^Bearer /, ''));
    headers[name] = value;
  }
  if (!isClaudeOnVertex(provider)) return { ...request, headers };
  delete headers['anthropic-version'];
  const path = request.path.replace(/\/messages$/, claudePath({ model, stream }));
  return { ...request, headers, path, body: claudeBody(request.body) };
}

interface PlatformCall {
  readonly model: CatalogModel;
  readonly stream: boolean;
}

export function isClaudeOnVertex({ kind, platform }: Provider): boolean {
  return platform === 'vertex' && kind === 'anthropic';
}

/**
 * Behind the address of a provider. Anthropic, "Claude on Vertex AI": the model is in the path and not in the body, the version of the API in
 * the body and not in a header (https://docs.anthropic.com/en/api/claude-on-vertex-ai).
 */
export function claudePath({ model, stream }: PlatformCall): string {
  return `/models/${encodeURIComponent(model.id).replaceAll('%40', '@')}:${stream ? 'streamRawPredict' : 'rawPredict'}`;
}

const ANTHROPIC_VERSION_ON_VERTEX = 'vertex-2023-10-16';

/** @param text JSON of a request to Anthropic's messages @param keepsModel the counter of tokens is no model, so the body names one */
export function claudeBody(text: string, keepsModel = false): string {
  const edits: JsonEdit[] = [
    { path: ['anthropic_version'], value: JSON.stringify(ANTHROPIC_VERSION_ON_VERTEX), add: true },
  ];
  if (!keepsModel) edits.push({ path: ['model'], value: undefined });
  return spliced(text, jsonSplices(text, edits));
}

/** Vertex counts the tokens of a Claude's prompt under a name that is no model's. */
export const CLAUDE_COUNTER_PATH = '/models/count-tokens:rawPredict';
