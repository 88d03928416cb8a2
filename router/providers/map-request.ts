import { type CallOptions, type MappedRequest, mapRequest } from '../dialects/index.ts';
import { silence, takenOptions } from './rehearsal.ts';
import { sdkModel } from './sdk-model.ts';
import type { UpstreamCall } from './types.ts';

/** A request as it goes to one model, in the SDK's words. */
export interface Mapping extends Pick<MappedRequest, 'completeBody'> {
  readonly options: CallOptions;
  /** Paths of the client's fields that the model does not get. */
  readonly dropped: readonly string[];
}

/** What is mapped, and for whom. */
type MappableCall = Pick<UpstreamCall, 'model' | 'dialect' | 'body' | 'unmappable' | 'mappings'>;

/** As `mappedFor`, once for each model: selection asks whether a model can carry a request, and an attempt sends what came out. */
export function mappingOf(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { mappings, model } = call;
  const known = mappings?.get(model.name);
  if (known !== undefined) return known;
  const mapping = mappedFor(call, env);
  mappings?.set(model.name, mapping);
  return mapping;
}

/**
 * Maps a chat completion or a message for a model whose provider does not speak its dialect. Nothing is sent.
 * @throws PlimsollError `invalid-input` with the field's path in `place.field`, if the model's provider cannot carry the request
 */
async function mappedFor(call: MappableCall, env: NodeJS.ProcessEnv): Promise<Mapping> {
  const { model, dialect, unmappable = 'drop-hints' } = call;
  const rehearsing = await sdkModel(model, { apiKey: 'none', env, fetch: silence });
  const mapped = mapRequest(call, unmappable, await rehearsing.supportedUrls);
  const { losses, completeBody } = mapped;
  const options = await takenOptions(mapped.options, { rehearsing, dialect, losses });
  return { options, completeBody, dropped: losses.dropped };
}
