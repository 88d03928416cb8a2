import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { ProviderKind } from '../../router/catalog/index.ts';
import { clientsOf, KEY, modelAt } from './mapped-gateway.ts';
import { type Scripted, type SeenCall, scriptedProvider } from './scripted-provider.ts';

type Embedder = (asked: SeenCall) => Scripted;

/** A vector that tells its text apart; halves and quarters survive as 32-bit floats. */
function vectorOf(text: string): number[] {
  return [text.length, text.charCodeAt(0) / 4, -0.5];
}

function json(reply: object, headers: Record<string, string> = {}): Scripted {
  return { body: JSON.stringify(reply), headers };
}

const google: Embedder = ({ url, body }) => {
  const values = (one: { content?: { parts?: { text: string }[] } }) =>
    vectorOf(one.content?.parts?.[0]?.text ?? '');
  if (url.endsWith(':embedContent')) return json({ embedding: { values: values(body) } });
  return json({ embeddings: (body['requests'] as object[]).map((one) => ({ values: values(one) })) });
};

const mistral: Embedder = ({ body }) => {
  const texts = body['input'] as string[];
  const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) }));
  return json({ object: 'list', data, usage: { prompt_tokens: 3 * texts.length, total_tokens: 9 } });
};

const titan: Embedder = ({ body }) =>
  json({ embedding: vectorOf(String(body['inputText'])), inputTextTokenCount: 2 });

const cohere: Embedder = ({ body }) =>
  json(
    { embeddings: (body['texts'] as string[]).map(vectorOf) },
    { 'x-amzn-bedrock-input-token-count': '7' },
  );

async function clientOf(kind: ProviderKind, embedder: Embedder, id = 'embedder') {
  const { seen, url } = await scriptedProvider(embedder);
  return { seen, ...(await clientsOf(modelAt(url, kind, { id, name: `${kind}/${id}` }))) };
}

const PROVIDERS: [string, ProviderKind, Embedder, string, number | undefined][] = [
  ['Google', 'google', google, 'gemini-embedding-001', undefined],
  ['Mistral', 'mistral', mistral, 'mistral-embed', 6],
  ['Titan on Bedrock', 'bedrock', titan, 'amazon.titan-embed-text-v2:0', 4],
  ['Cohere on Bedrock', 'bedrock', cohere, 'cohere.embed-multilingual-v3', 7],
];
const KEY_HEADERS = { google: { 'x-goog-api-key': KEY }, other: { authorization: `Bearer ${KEY}` } };

describe.each(PROVIDERS)('embeddings of %s', (_, kind, embedder, id, tokens) => {
  it.each(['float', 'base64', undefined] as const)('as %s', async (encoding_format) => {
    const { openai, outcomes, seen } = await clientOf(kind, embedder, id);
    const wanted = { model: 'any', input: ['one', 'three'], ...(encoding_format && { encoding_format }) };
    const reply = await openai.embeddings.create(wanted);
    expect(reply).toMatchObject({ object: 'list', model: `${kind}/${id}` });
    const vectors = reply.data.map(({ embedding }) => decoded(embedding));
    expect(vectors).toEqual([vectorOf('one'), vectorOf('three')]);
    expect(reply.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(reply.usage).toEqual(tokens && { prompt_tokens: tokens, total_tokens: tokens });
    const [outcome] = outcomes;
    const usage = tokens && { inputTokens: tokens, outputTokens: 0 };
    expect(outcome?.kind === 'reply' && outcome.usage()).toEqual(usage);
    expect(seen[0]?.headers).toMatchObject(kind === 'google' ? KEY_HEADERS.google : KEY_HEADERS.other);
  });

  it('one text, and more than go into one request, in their order', async () => {
    const { openai, seen } = await clientOf(kind, embedder, id);
    const alone = await openai.embeddings.create({ model: 'any', input: 'alone' });
    expect(alone.data.map(({ embedding }) => embedding)).toEqual([vectorOf('alone')]);
    const input = Array.from({ length: 201 }, (_, index) => 'x'.repeat(index + 1));
    const many = await openai.embeddings.create({ model: 'any', input });
    expect(many.data.map(({ embedding }) => embedding)).toEqual(input.map(vectorOf));
    expect(seen.length).toBeGreaterThan(2);
  });

  it.each<[string, object]>([
    ['input', { input: [1, 2, 3] }],
    ['input', { input: [[1, 2], [3]] }],
    ['user', { user: 'Ann' }],
    ['oddity', { oddity: 1 }],
  ])('a 400 that names %s', async (field, body) => {
    const { openai, seen } = await clientOf(kind, embedder, id);
    const asked = openai.embeddings.create({ model: 'any', input: 'x', ...body });
    const error = await asked.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: field, code: 'unmappable_field' });
    expect(seen).toEqual([]);
  });
});

describe('dimensions', () => {
  it.each<[string, ProviderKind, Embedder, string, number, object]>([
    ['Google', 'google', google, 'gemini-embedding-001', 768, { outputDimensionality: 768 }],
    ['Titan', 'bedrock', titan, 'amazon.titan-embed-text-v2:0', 256, { dimensions: 256 }],
    ['Cohere', 'bedrock', cohere, 'cohere.embed-v4:0', 1536, { output_dimension: 1536, truncate: 'NONE' }],
  ])('go to %s under its own name', async (_, kind, embedder, id, dimensions, sent) => {
    const { openai, seen } = await clientOf(kind, embedder, id);
    await openai.embeddings.create({ model: 'any', input: 'x', dimensions });
    expect(seen[0]?.body).toMatchObject(sent);
  });

  it.each<[string, ProviderKind, Embedder, string]>([
    ['Mistral has no place for them', 'mistral', mistral, 'mistral-embed'],
    ['Titan has others', 'bedrock', titan, 'amazon.titan-embed-text-v2:0'],
  ])('are named where %s', async (_, kind, embedder, id) => {
    const { openai, seen } = await clientOf(kind, embedder, id);
    const asked = openai.embeddings.create({ model: 'any', input: 'x', dimensions: 77 });
    await expect(asked).rejects.toMatchObject({ status: 400, param: 'dimensions' });
    expect(seen).toEqual([]);
  });
});

describe('what is no reply', () => {
  it('a provider without embeddings says so', async () => {
    const { openai, seen } = await clientOf('anthropic', titan);
    const asked = openai.embeddings.create({ model: 'any', input: 'x' });
    await expect(asked).rejects.toMatchObject({ status: 400, param: 'model' });
    await expect(asked).rejects.toThrow(/no embeddings/);
    expect(seen).toEqual([]);
  });

  it.each<[number, string]>([
    [401, 'auth'],
    [429, 'rate-limited'],
    [500, 'server-error'],
  ])("the provider's %i is %s, also where only one of several requests fails", async (status, failure) => {
    let asked = 0;
    const failing: Embedder = (request) =>
      ++asked === 3 ? { status, body: '{"message":"no"}' } : titan(request);
    const { openai, outcomes } = await clientOf('bedrock', failing, 'amazon.titan-embed-text-v2:0');
    const input = Array.from({ length: 9 }, () => 'x');
    await expect(openai.embeddings.create({ model: 'any', input })).rejects.toMatchObject({ status });
    expect(outcomes[0]).toMatchObject({ kind: 'failure', failure, status });
    expect(asked).toBeLessThanOrEqual(4);
  });

  it('fewer vectors than texts are no reply', async () => {
    const short: Embedder = () => json({ embeddings: [{ values: [1] }] });
    const { openai, outcomes } = await clientOf('google', short);
    await openai.embeddings.create({ model: 'any', input: ['a', 'b'] }).catch(() => {});
    expect(outcomes[0]).toMatchObject({ kind: 'failure', failure: 'bad-answer' });
  });
});

/** The client decodes base64 by itself only where it asked for it by itself. */
function decoded(embedding: unknown): number[] {
  if (typeof embedding !== 'string') return embedding as number[];
  const bytes = Buffer.from(embedding, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}
