import {
  type EmbeddingsRequest,
  type EmbedResult,
  embeddingsAnswer,
  embeddingsRequest,
  type SdkEmbeddingModel,
  tokensOf,
  unmappable,
} from '../dialects/index.ts';
import { PlimsollError } from '../errors.ts';
import { UpstreamBroken } from './broken.ts';
import { plainOutcome } from './mapped-body.ts';
import type { MappedCall, SendMapped } from './mapped-call.ts';
import { sdkEmbeddingModel } from './sdk-model.ts';

/** Requests of one client that are with the provider at once, where it takes fewer texts in one than the client sent. */
const AT_ONCE = 4;
/** The SDK's refusals of an option, by the names of their classes. Only `dimensions` becomes one that can be wrong. */
const BAD_OPTION = /^AI_(InvalidArgumentError|TypeValidationError)$/;

/**
 * Maps a request for embeddings in OpenAI's form; nothing is sent. Texts that do not fit into one request of the provider go into
 * several; the reply is whole, in the order of the texts, or a failure.
 * @throws PlimsollError `invalid-input` that names the field, if the provider's API cannot carry it
 */
export async function prepareEmbeddings({ call, key, env }: MappedCall): Promise<SendMapped> {
  const { model: entry, body } = call;
  const modelOver = (fetch: typeof globalThis.fetch) => sdkEmbeddingModel(entry, { apiKey: key, env, fetch });
  const rehearsal = await modelOver(unsent);
  if (rehearsal === undefined) throw unmappable(['model'], 'its provider has no embeddings');
  const request = embeddingsRequest(body, entry);
  await rehearse(rehearsal, request);
  return async (line) => {
    const model = await modelOver(line.fetch);
    const results = await embedded(model!, request);
    const tokens = tokensOf(results);
    const vectors = results.flatMap(({ embeddings }) => embeddings);
    const answer = embeddingsAnswer(vectors, { model: entry.name, format: request.format, tokens });
    return plainOutcome(answer, tokens === undefined ? undefined : { inputTokens: tokens, outputTokens: 0 });
  };
}

/** Stands in for the provider in a rehearsal: what comes this far would have been sent. */
async function unsent(): Promise<never> {
  throw new Error('not sent');
}

/** Lets the SDK check its options before anything is sent. */
async function rehearse(model: SdkEmbeddingModel, { values, ...request }: EmbeddingsRequest): Promise<void> {
  const one = { ...request, values: values.slice(0, 1) };
  const error = await ask(model, one.values, one).catch((thrown) => thrown);
  if (error instanceof PlimsollError) throw error;
}

async function embedded(model: SdkEmbeddingModel, request: EmbeddingsRequest): Promise<EmbedResult[]> {
  const size = (await model.maxEmbeddingsPerCall) ?? request.values.length;
  const atOnce = (await model.supportsParallelCalls) ? AT_ONCE : 1;
  const results: EmbedResult[] = [];
  for (const batches of slices(slices(request.values, size), atOnce)) {
    results.push(...(await Promise.all(batches.map((values) => ask(model, values, request)))));
  }
  return results;
}

async function ask(
  model: SdkEmbeddingModel,
  values: readonly string[],
  { providerOptions }: EmbeddingsRequest,
): Promise<EmbedResult> {
  const options = { values: [...values], ...(providerOptions && { providerOptions }) };
  const result = await model.doEmbed(options).then((given) => given, refused);
  if (result.embeddings.length !== values.length) {
    throw new UpstreamBroken('unreadable', 'It gave another number of embeddings than it was sent texts.');
  }
  return result;
}

function refused(error: unknown): never {
  if (error instanceof Error && BAD_OPTION.test(error.name)) {
    throw unmappable(['dimensions'], 'the chosen model does not have this number of them');
  }
  throw error;
}

function slices<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
