import { z } from 'zod';
import { PROVIDER_KINDS } from '../catalog/index.ts';
import { camelCased } from './camel-cased.ts';
import { VARIABLE_NAME } from './variable-name.ts';

/** Upper-case keys pass for names: AWS access keys, and long runs without the underscores that part a name's words. */
const KEY_IN_UPPER_CASE = /^(?:A[A-Z]IA[A-Z0-9]{16}|(?=.*\d)[A-Z0-9]{20,})$/;
const KEY_FIELD = /key|token|secret|password|credential/i;
const KEY_HEADER = /^(?:proxy-)?authorization$|^cookie$|key|token|secret|password/i;

const NAME_NOT_KEY =
  'api_key_env takes the NAME of an environment variable in upper case, such as OPENAI_API_KEY, never a key. If a key stood here, revoke it';
const NO_KEY_HERE =
  'keys never stand in this file: put the key into an environment variable and its name into api_key_env';

/** No slash: `<provider>/<model>` is cut at the first one. */
const PROVIDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

const baseUrl = z.string().superRefine((text, context) => {
  const message = whyBadAddress(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const headers = z.record(
  z.string().regex(HEADER_NAME, 'a name in headers is no name of an HTTP header'),
  z.string().regex(HEADER_VALUE, 'a header must be one line of plain ASCII'),
);

/** Hop-by-hop headers and credentials, which a client must never set. */
const BLOCKED_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'cookie',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'content-type',
  'content-encoding',
  'accept',
  'accept-encoding',
  'expect',
  'upgrade',
]);

function isPassable(name: string): boolean {
  const lower = name.toLowerCase();
  return !BLOCKED_HEADERS.has(lower) && !lower.startsWith('x-plimsoll-') && !isKeyHeader(name);
}

const provider = z
  .strictObject(
    {
      kind: z
        .enum([...PROVIDER_KINDS, 'azure', 'vertex', 'vertex-anthropic'])
        .describe(
          "How it is spoken to. openai-compatible is any address with the API of OpenAI: vLLM, Ollama … azure: OpenAI's models on Azure; vertex, vertex-anthropic: Gemini and Claude on Google's Vertex AI.",
        ),
      base_url: baseUrl
        .optional()
        .describe(
          'Address, with http or https. Needed by openai-compatible and azure; the others have their own.',
        ),
      project: z
        .string()
        .regex(/^[a-z][a-z0-9:.-]{2,61}[a-z0-9]$/, "project is no id of a project at Google's cloud")
        .optional()
        .describe("Of vertex and vertex-anthropic: the id of the project at Google's cloud."),
      location: z
        .string()
        .regex(/^[a-z][a-z0-9-]{1,40}$/, 'location is no location, such as europe-west1 or global')
        .optional()
        .describe('Of vertex and vertex-anthropic. global where left out.'),
      token_file: z
        .string()
        .min(1)
        .max(1_000)
        .optional()
        .describe(
          'Of azure, vertex and vertex-anthropic: a file with a bearer token (of Entra, of Google), which another program renews; read again when it changes. In place of a key.',
        ),
      api_key_env: z
        .string()
        .refine(isVariableName, NAME_NOT_KEY)
        .optional()
        .describe(
          'NAME of the environment variable that holds the key, never the key. By kind where left out.',
        ),
      api_key_envs: z
        .array(z.string().refine(isVariableName, NAME_NOT_KEY))
        .min(1)
        .max(100)
        .refine((names) => new Set(names).size === names.length, 'names a variable twice; name each once')
        .optional()
        .describe(
          'In place of api_key_env: NAMES of the environment variables of several keys of one account. When one is rate-limited, refused or used up, the next takes over.',
        ),
      headers: headers
        .optional()
        .describe('Sent with every request to it. No secrets: authentication is by api_key_env alone.'),
      pass_headers: z
        .array(
          z
            .string()
            .regex(HEADER_NAME, 'a name in pass_headers is no name of an HTTP header')
            .refine(
              isPassable,
              'this header cannot be passed on: it belongs to the connection or to Plimsoll, or holds a key',
            ),
        )
        .max(50)
        .optional()
        .describe(
          "Names of the client's headers that are passed on to it, such as openai-organization. By itself it gets only those of the API that it speaks.",
        ),
      responses: z
        .boolean()
        .optional()
        .describe(
          "Whether it has OpenAI's Responses API. By default only one of the kind openai has; requests to others are mapped.",
        ),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' && issue.keys.some(isKeyField) ? NO_KEY_HERE : undefined,
    },
  )
  .superRefine((value, context) => {
    if (value.kind === 'openai-compatible' && value.base_url === undefined) {
      const message =
        'a provider of the kind openai-compatible needs a base_url, such as http://127.0.0.1:11434/v1';
      context.addIssue({ code: 'custom', path: ['base_url'], message });
    }
    if (value.responses === true && !/^(openai|azure)/.test(value.kind)) {
      const message =
        'only a provider of the kind openai, azure or openai-compatible can have the Responses API';
      context.addIssue({ code: 'custom', path: ['responses'], message });
    }
    if (value.api_key_env !== undefined && value.api_key_envs !== undefined) {
      const message = 'give either api_key_env or api_key_envs';
      context.addIssue({ code: 'custom', path: ['api_key_envs'], message });
    }
    for (const [field, message] of misplacedFields(value)) {
      context.addIssue({ code: 'custom', path: [field], message });
    }
    if (value.kind === 'bedrock' && value.api_key_envs !== undefined) {
      const message = 'a provider of the kind bedrock has one key: name it in api_key_env';
      context.addIssue({ code: 'custom', path: ['api_key_envs'], message });
    }
    for (const name of Object.keys(value.headers ?? {})) {
      if (!isKeyHeader(name)) continue;
      context.addIssue({ code: 'custom', path: ['headers', name], message: NO_KEY_HERE });
    }
  })
  .transform(camelCased);

interface WrittenProvider {
  readonly kind: string;
  readonly base_url?: string | undefined;
  readonly project?: string | undefined;
  readonly location?: string | undefined;
  readonly token_file?: string | undefined;
  readonly api_key_env?: string | undefined;
  readonly api_key_envs?: readonly string[] | undefined;
}

/** Fields of the platforms, where they have no place or are missing. */
function misplacedFields(value: WrittenProvider): (readonly [field: string, message: string])[] {
  const isVertex = value.kind.startsWith('vertex');
  const isAzure = value.kind === 'azure';
  const hasKey = value.api_key_env !== undefined || value.api_key_envs !== undefined;
  const found: (readonly [string, string])[] = [];
  for (const field of ['project', 'location'] as const) {
    if (!isVertex && value[field] !== undefined)
      found.push([field, `only a provider of the kind vertex or vertex-anthropic has a ${field}`]);
  }
  if (isVertex && value.project === undefined)
    found.push([
      'project',
      `a provider of the kind ${value.kind} needs the id of its project at Google's cloud`,
    ]);
  if (isVertex && hasKey)
    found.push([
      'api_key_env',
      "Vertex takes no keys: leave it out for Google's own credentials, or give a token_file",
    ]);
  if (value.token_file !== undefined && !isVertex && !isAzure)
    found.push([
      'token_file',
      'only a provider of the kind azure, vertex or vertex-anthropic takes a token_file',
    ]);
  if (isAzure && value.token_file !== undefined && hasKey)
    found.push(['token_file', 'give either a key or a token_file']);
  if (isAzure && value.base_url === undefined)
    found.push([
      'base_url',
      'a provider of the kind azure needs a base_url, such as https://name.openai.azure.com/openai/v1',
    ]);
  return found;
}

/** Provider's name -> how to reach it. Names are yours: two of one kind may stand side by side. */
export const providersSchema = z.record(
  z
    .string()
    .max(100)
    .regex(
      PROVIDER_NAME,
      'the name of a provider is of letters, digits, dots, hyphens and underscores, without a slash',
    ),
  provider,
);

/**
 * What is wrong with a base_url, or undefined. It must be http or https, without user, password, query and fragment.
 * The message never has the address: it may hold a secret.
 */
function whyBadAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return 'base_url is no URL. Give one such as http://127.0.0.1:11434/v1';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return 'base_url must start with http:// or https://';
  }
  if (url.username !== '' || url.password !== '') {
    return 'base_url must hold no user and password: name the variable that holds the key in api_key_env';
  }
  if (/[?#]/.test(text)) return 'base_url must hold no query and no fragment: /chat/completions follows it';
  return undefined;
}

/** Whether a text can be the name of an environment variable and does not look like a key. */
function isVariableName(text: string): boolean {
  return VARIABLE_NAME.test(text) && !KEY_IN_UPPER_CASE.test(text);
}

/** Whether a field of the configuration sounds as if a key stood in it. */
function isKeyField(name: string): boolean {
  return KEY_FIELD.test(name);
}

/** Whether an HTTP header sounds as if a key stood in it. */
function isKeyHeader(name: string): boolean {
  return KEY_HEADER.test(name);
}
