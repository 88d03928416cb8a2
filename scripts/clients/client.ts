/** One task of a client: its folders, the gateway, and the prompt. */
export interface Task {
  /** Folder with the client's node_modules. */
  readonly installed: string;
  /** Temporary HOME, with everything that the client stores. */
  readonly home: string;
  /** Working folder, with `mark.txt`. */
  readonly work: string;
  /** The gateway's address, without /v1. */
  readonly url: string;
  readonly model: string;
  readonly prompt: string;
}

export interface Client {
  /** For `--only`. */
  readonly id: string;
  readonly name: string;
  readonly api: 'OpenAI chat' | 'Anthropic messages';
  /** npm package specifiers; clients with the same packages share one installation. */
  readonly packages: readonly string[];
  /** The package whose version counts as the client's. */
  readonly main: string;
  /** The client's own tool that reads a file, and its input. */
  readonly tool: { readonly tool: string; readonly input: object };
  /** How often a task reads the file: twice, plain and streamed, or once. */
  readonly replies: number;
  /** The model's last text, for a task without a tool. */
  readonly text?: string;
  /** Configuration files, by path within home or `work/…`. */
  files?(task: Task): Readonly<Record<string, string>>;
  /** Runs in Node, unless the first argument is a program. */
  command(task: Task): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  /** Ladder -> why the client cannot work there, if that is not for Plimsoll to change. */
  readonly cannot?: Readonly<Record<string, string>>;
  /** Instructions for users, in Markdown; `URL` is the gateway's address. */
  readonly setup: string;
}

/** A ladder of the compatibility matrix. */
export interface Ladder {
  readonly id: string;
  readonly name: string;
  readonly cheap: string;
  readonly strong: string;
}

export const LADDERS: readonly Ladder[] = [
  { id: 'gpt', name: 'GPT', cheap: 'openai/gpt-6-luna', strong: 'openai/gpt-6-sol' },
  {
    id: 'claude',
    name: 'Claude',
    cheap: 'anthropic/claude-haiku-4-5',
    strong: 'anthropic/claude-sonnet-5-5',
  },
  { id: 'gemini', name: 'Gemini', cheap: 'google/gemini-2.5-flash', strong: 'google/gemini-3.5-flash' },
  { id: 'mixed', name: 'mixed', cheap: 'openai/gpt-6-luna', strong: 'anthropic/claude-sonnet-5-5' },
];

const UNKNOWN_FIELD =
  'Instructor sends `response_format.schema`, the form of other providers, which OpenAI refuses; use mode `JSON`';

const LANGCHAIN = ['langchain', '@langchain/core', '@langchain/openai', '@langchain/anthropic', 'zod'];

/** Libraries: each runs one of `programs/`, which does its task twice, plain and streamed. */
export const SDK_CLIENTS: readonly Client[] = [
  {
    ...sdk('openai', 'openai.mjs'),
    name: 'OpenAI SDK (`runTools`)',
    api: 'OpenAI chat',
    packages: ['openai', 'zod'],
    main: 'openai',
    setup: `\`\`\`js
new OpenAI({ baseURL: 'URL/v1', apiKey: KEY }).chat.completions.create({ model: 'auto', … });
\`\`\``,
  },
  {
    ...sdk('anthropic', 'anthropic.mjs'),
    name: 'Anthropic SDK (`messages`)',
    api: 'Anthropic messages',
    packages: ['@anthropic-ai/sdk', 'zod'],
    main: '@anthropic-ai/sdk',
    setup: `\`\`\`js
new Anthropic({ baseURL: 'URL', apiKey: KEY }).messages.create({ model: 'auto', … });
\`\`\``,
  },
  {
    ...aiSdk('ai-openai', 'openai'),
    name: 'AI SDK `openai.chat`',
    api: 'OpenAI chat',
    main: '@ai-sdk/openai',
    setup: `\`\`\`js
createOpenAI({ baseURL: 'URL/v1', apiKey: KEY }).chat('auto');
\`\`\`

\`.chat\`: without it the provider asks \`/v1/responses\`, which is not built.`,
  },
  {
    ...aiSdk('ai-compatible', 'openai-compatible'),
    name: 'AI SDK `openai-compatible`',
    api: 'OpenAI chat',
    main: '@ai-sdk/openai-compatible',
    setup: `\`\`\`js
createOpenAICompatible({ name: 'plimsoll', baseURL: 'URL/v1', apiKey: KEY }).chatModel('auto');
\`\`\``,
  },
  {
    ...aiSdk('ai-anthropic', 'anthropic'),
    name: 'AI SDK `anthropic`',
    api: 'Anthropic messages',
    main: '@ai-sdk/anthropic',
    setup: `\`\`\`js
createAnthropic({ baseURL: 'URL/v1', apiKey: KEY })('auto');
\`\`\``,
  },
  {
    ...sdk('langchain-openai', 'langchain.mjs', { PROVIDER: 'openai' }),
    name: 'LangChain `ChatOpenAI`, `createAgent`',
    api: 'OpenAI chat',
    packages: LANGCHAIN,
    main: '@langchain/openai',
    setup: `\`\`\`js
createAgent({ model: new ChatOpenAI({ model: 'auto', apiKey: KEY, configuration: { baseURL: 'URL/v1' } }), tools });
\`\`\``,
  },
  {
    ...sdk('langchain-anthropic', 'langchain.mjs', { PROVIDER: 'anthropic' }),
    name: 'LangChain `ChatAnthropic`, `createAgent`',
    api: 'Anthropic messages',
    packages: LANGCHAIN,
    main: '@langchain/anthropic',
    setup: `\`\`\`js
createAgent({ model: new ChatAnthropic({ model: 'auto', apiKey: KEY, anthropicApiUrl: 'URL' }), tools });
\`\`\``,
  },
  {
    ...sdk('openai-agents', 'openai-agents.mjs'),
    name: 'OpenAI Agents SDK',
    api: 'OpenAI chat',
    packages: ['@openai/agents', 'zod'],
    main: '@openai/agents',
    setup: `\`\`\`js
const modelProvider = new OpenAIProvider({ baseURL: 'URL/v1', apiKey: KEY, useResponses: false });
await new Runner({ modelProvider, tracingDisabled: true }).run(new Agent({ model: 'auto', … }), 'Hi');
\`\`\`

\`useResponses: false\`: \`/v1/responses\` is not built. \`tracingDisabled\`: traces would go to OpenAI.`,
  },
  ...(['JSON', 'JSON_SCHEMA'] as const).map(
    (mode): Client => ({
      ...sdk(`instructor-${mode === 'JSON' ? 'json' : 'json-schema'}`, 'instructor.mjs', { MODE: mode }),
      name: `Instructor, mode \`${mode}\``,
      api: 'OpenAI chat',
      packages: ['@instructor-ai/instructor', 'openai@6', 'zod@3'],
      main: '@instructor-ai/instructor',
      ...(mode === 'JSON_SCHEMA' && { cannot: { gpt: UNKNOWN_FIELD, mixed: UNKNOWN_FIELD } }),
      text: '{"name":"Ada","age":36}',
      replies: 1,
      setup: `\`\`\`js
Instructor({ client: new OpenAI({ baseURL: 'URL/v1', apiKey: KEY }), mode: '${mode}' });
\`\`\`

No tools in this mode: the task is an object of a schema.`,
    }),
  ),
];

function sdk(id: string, program: string, env: Readonly<Record<string, string>> = {}) {
  return {
    id,
    tool: { tool: 'read_file', input: { path: 'mark.txt' } },
    replies: 2,
    command: ({ installed, url, model, prompt }: Task) => ({
      args: [`${installed}/${program}`],
      env: { PLIMSOLL_URL: url, PLIMSOLL_MODEL: model, PLIMSOLL_PROMPT: prompt, ...env },
    }),
  };
}

function aiSdk(id: string, provider: string) {
  return {
    ...sdk(id, 'ai-sdk.mjs', { PROVIDER: provider }),
    packages: ['ai', '@ai-sdk/openai', '@ai-sdk/openai-compatible', '@ai-sdk/anthropic', 'zod'],
  };
}
