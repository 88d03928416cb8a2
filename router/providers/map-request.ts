import {
  anthropicRequest,
  type CallOptions,
  createLosses,
  openaiRequest,
  targetOf,
  withGoogleSchemas,
} from '../dialects/index.ts';
import { silence, takenOptions } from './rehearsal.ts';
import { sdkModel } from './sdk-model.ts';
import type { UpstreamCall } from './types.ts';

/** A request as it goes to one model, in the SDK's words. */
export interface Mapping {
  readonly options: CallOptions;
  /** See `MappedRequest`. */
  readonly includeUsage: boolean;
  /** Completes the body that the SDK writes, where the SDK cannot. */
  readonly completing: (fetch: typeof globalThis.fetch) => typeof globalThis.fetch;
  /** Paths of the client's fields that the model does not get. */
  readonly dropped: readonly string[];
}

/** What is mapped, and for whom. */
type MappableCall = Pick<UpstreamCall, 'model' | 'dialect' | 'body' | 'unmappable' | 'mappings'>;

/** As `mapRequest`, once for each model: selection asks whether a model can carry a request, and an attempt sends what came out. */
export function mappingOf(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { mappings, model } = call;
  const known = mappings?.get(model.name);
  if (known !== undefined) return known;
  const mapping = mapRequest(call, env);
  mappings?.set(model.name, mapping);
  return mapping;
}

/**
 * Maps a chat completion or a message for a model whose provider does not speak its dialect. Nothing is sent.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, if the model's provider cannot carry the request
 */
async function mapRequest(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { model, dialect, body, unmappable = 'drop-hints' } = call;
  const rehearsing = await sdkModel(model, { apiKey: 'none', env, fetch: silence });
  const target = targetOf(model, await rehearsing.supportedUrls);
  const losses = createLosses(dialect, body, unmappable);
  const asked = (dialect === 'openai' ? openaiRequest : anthropicRequest)(body, target, losses);
  const { options: complete, completing } = withGoogleSchemas(call, withLimit(asked.options, call));
  const options = await takenOptions(complete, { rehearsing, dialect, losses });
  return { options, includeUsage: asked.includeUsage, completing, dropped: losses.dropped };
}

/** Anthropic's API demands a limit; if the client names none it is the model's own. */
function withLimit(options: CallOptions, { model }: MappableCall): CallOptions {
  const { maxOutputTokens, provider } = model;
  if (provider.kind !== 'anthropic' || maxOutputTokens === undefined) return options;
  return { maxOutputTokens, ...options };
}
