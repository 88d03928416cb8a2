import type { Dialect, ProviderKind } from '../catalog/index.ts';

/** What a request of a passed-through route is recorded as. */
export const PASSED_OPERATIONS = [
  'completions',
  'moderations',
  'images',
  'transcriptions',
  'speech',
  'files',
  'batches',
  'input-tokens',
  'compaction',
] as const;
export type PassedOperation = (typeof PASSED_OPERATIONS)[number];

/** A route of a provider's API that is passed on as it comes: nothing of it is routed or mapped. */
export interface PassedRoute {
  readonly method: 'get' | 'post' | 'delete';
  /** Behind /v1, in Express's words. */
  readonly path: string;
  readonly summary: string;
  readonly operation: PassedOperation | 'chat';
  /** How the request's body is read. */
  readonly body: 'json' | 'multipart' | 'none';
  /** Where the model is named. `nowhere`: the provider is named by a header, or is the only one that has the route. */
  readonly model: 'field' | 'batch' | 'path' | 'nowhere';
  /** It creates something, so it is not sent a second time if it may have been carried out the first time. */
  readonly creates?: true;
  /** The kinds of providers that have it, by the API that the client speaks. */
  readonly kinds: Readonly<Partial<Record<Dialect, readonly ProviderKind[]>>>;
}

const OPENAI = { openai: ['openai', 'openai-compatible'] } as const;
const OPENAI_AND_MISTRAL = { openai: ['openai', 'openai-compatible', 'mistral'] } as const;
const FILES = { ...OPENAI_AND_MISTRAL, anthropic: ['anthropic'] } as const;
const RESPONSES = { responses: ['openai', 'openai-compatible'] } as const;
const BATCHES = { anthropic: ['anthropic'] } as const;

const FIELD = { method: 'post', body: 'json', model: 'field' } as const;
const BY_ID = { body: 'none', model: 'nowhere' } as const;

/**
 * Every passed-through route. Sources: the API references of OpenAI (https://platform.openai.com/docs/api-reference), Anthropic
 * (https://docs.anthropic.com/en/api) and Mistral (https://docs.mistral.ai/api).
 */
export const PASSED_ROUTES: readonly PassedRoute[] = [
  {
    ...FIELD,
    path: '/completions',
    summary: "OpenAI's older completions, of a model by name.",
    operation: 'completions',
    kinds: OPENAI,
  },
  {
    ...FIELD,
    path: '/moderations',
    summary: "OpenAI's moderations, of a model by name.",
    operation: 'moderations',
    kinds: OPENAI_AND_MISTRAL,
  },
  {
    ...FIELD,
    path: '/images/generations',
    summary: "OpenAI's images, of a model by name.",
    operation: 'images',
    kinds: OPENAI,
  },
  {
    ...FIELD,
    path: '/audio/speech',
    summary: "OpenAI's speech, of a model by name.",
    operation: 'speech',
    kinds: OPENAI,
  },
  {
    ...FIELD,
    path: '/audio/transcriptions',
    summary: "OpenAI's transcriptions, of a model by name.",
    operation: 'transcriptions',
    body: 'multipart',
    kinds: OPENAI_AND_MISTRAL,
  },
  {
    ...FIELD,
    path: '/responses/input_tokens',
    summary: "OpenAI's count of the tokens of a response's input, of a model by name.",
    operation: 'input-tokens',
    kinds: RESPONSES,
  },
  {
    ...FIELD,
    path: '/responses/compact',
    summary: 'A long conversation made shorter by OpenAI, for a model by name.',
    operation: 'compaction',
    kinds: RESPONSES,
  },
  {
    method: 'post',
    path: '/files',
    summary: "Store a file at a provider, in OpenAI's or Anthropic's form.",
    operation: 'files',
    body: 'multipart',
    model: 'nowhere',
    creates: true,
    kinds: FILES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/files',
    summary: 'Files at a provider.',
    operation: 'files',
    kinds: FILES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/files/:id',
    summary: 'A file, as its provider describes it.',
    operation: 'files',
    kinds: FILES,
  },
  {
    ...BY_ID,
    method: 'delete',
    path: '/files/:id',
    summary: 'Delete a file at a provider.',
    operation: 'files',
    kinds: FILES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/files/:id/content',
    summary: 'The content of a file at a provider.',
    operation: 'files',
    kinds: FILES,
  },
  {
    method: 'post',
    path: '/messages/batches',
    summary: "Anthropic's batches of messages, of models of one provider by name.",
    operation: 'batches',
    body: 'json',
    model: 'batch',
    creates: true,
    kinds: BATCHES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/messages/batches',
    summary: 'Batches of messages at a provider.',
    operation: 'batches',
    kinds: BATCHES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/messages/batches/:id',
    summary: 'A batch, as its provider describes it.',
    operation: 'batches',
    kinds: BATCHES,
  },
  {
    ...BY_ID,
    method: 'delete',
    path: '/messages/batches/:id',
    summary: 'Delete a batch at a provider.',
    operation: 'batches',
    kinds: BATCHES,
  },
  {
    ...BY_ID,
    method: 'post',
    path: '/messages/batches/:id/cancel',
    summary: 'Cancel a batch at a provider.',
    operation: 'batches',
    kinds: BATCHES,
  },
  {
    ...BY_ID,
    method: 'get',
    path: '/messages/batches/:id/results',
    summary: 'The results of a batch at a provider.',
    operation: 'batches',
    kinds: BATCHES,
  },
];

/** The passed-through routes that name a model, and that a kind of provider has: `/v1/images/generations`, … */
export function passedPathsOf(kind: ProviderKind): string[] {
  return PASSED_ROUTES.filter(
    ({ kinds, model }) => model !== 'nowhere' && Object.values(kinds).some((all) => all.includes(kind)),
  ).map(({ path }) => `/v1${path}`);
}

/** Google's API for its own models: `<model>:<method>`. The server has its path, which is not behind /v1. */
export const GOOGLE_ROUTE: PassedRoute = {
  method: 'post',
  path: '/models/:call',
  summary: "Google's API.",
  operation: 'chat',
  body: 'json',
  model: 'path',
  kinds: { openai: ['google'] },
};

/** A request to a provider's route, as it goes out. */
export interface PassedRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Behind the provider's address, with its query. */
  readonly path: string;
  /** Undefined if there is no body. */
  readonly contentType: string | undefined;
  readonly body: string | Uint8Array | null;
  /** What the client takes; undefined: anything. */
  readonly accept: string | undefined;
  /** May be sent again although a failure leaves open whether it was carried out. */
  readonly repeatable: boolean;
  /** About one thing at the provider, which the path names. */
  readonly byId?: boolean;
  /** Paths of the client's fields that it leaves out although they said something. */
  readonly dropped?: readonly string[];
}
