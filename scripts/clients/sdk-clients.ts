import type { Client, Task } from './client.ts';

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
