import type { Client, Task } from './client.ts';

const OPENAI = ['openai', 'zod'];
const ANTHROPIC = ['@anthropic-ai/sdk', 'zod'];
const AGENTS = ['@openai/agents', 'zod'];
const LANGCHAIN = ['langchain', '@langchain/core', '@langchain/openai', '@langchain/anthropic', 'zod'];

/** Libraries: each runs one of `programs/`, which does its task twice, plain and streamed. */
export const SDK_CLIENTS: readonly Client[] = [
  {
    ...sdk('openai', 'openai.mjs'),
    name: 'OpenAI SDK (`runTools`)',
    api: 'OpenAI chat',
    packages: OPENAI,
    main: 'openai',
    setup: `\`\`\`js
new OpenAI({ baseURL: 'URL/v1', apiKey: KEY }).chat.completions.create({ model: 'auto', … });
\`\`\``,
  },
  {
    ...sdk('openai-responses', 'openai-responses.mjs'),
    name: 'OpenAI SDK (`responses`)',
    api: 'OpenAI Responses',
    packages: OPENAI,
    main: 'openai',
    setup: `\`\`\`js
new OpenAI({ baseURL: 'URL/v1', apiKey: KEY }).responses.create({ model: 'auto', store: false, … });
\`\`\`

\`previous_response_id\` and \`conversation\` need [\`threads\`](CONFIGURATION.md); without them each request carries the whole conversation.`,
  },
  {
    ...sdk('anthropic', 'anthropic.mjs'),
    name: 'Anthropic SDK (`messages`)',
    api: 'Anthropic messages',
    packages: ANTHROPIC,
    main: '@anthropic-ai/sdk',
    setup: `\`\`\`js
new Anthropic({ baseURL: 'URL', apiKey: KEY }).messages.create({ model: 'auto', … });
\`\`\``,
  },
  {
    ...sdk('anthropic-tool-runner', 'anthropic-tool-runner.mjs'),
    name: 'Anthropic SDK (`toolRunner`)',
    api: 'Anthropic messages',
    packages: ANTHROPIC,
    main: '@anthropic-ai/sdk',
    setup: `\`\`\`js
new Anthropic({ baseURL: 'URL', apiKey: KEY }).beta.messages.toolRunner({ model: 'auto', … });
\`\`\`

It asks Claude to keep the conversation (\`thread\`). Other models keep none: the client is told so, and sends the whole conversation.`,
  },
  {
    ...sdk('anthropic-count-tokens', 'anthropic-count-tokens.mjs'),
    name: 'Anthropic SDK (`countTokens`)',
    api: 'Anthropic messages',
    packages: ANTHROPIC,
    main: '@anthropic-ai/sdk',
    text: 'Counted.',
    replies: 1,
    setup: `\`\`\`js
new Anthropic({ baseURL: 'URL', apiKey: KEY }).messages.countTokens({ model: 'auto', … });
\`\`\`

No tool: the task is a count, then a text. The count is an estimate for \`auto\`, and the provider's own for \`<provider>/<model>\` at Anthropic and Google.`,
  },
  {
    ...sdk('google', 'google.mjs'),
    name: 'Google Gen AI SDK',
    api: 'Google',
    packages: ['@google/genai'],
    main: '@google/genai',
    setup: `\`\`\`js
new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: 'URL' } }).models.generateContent({ model: 'auto', … });
\`\`\``,
  },
  {
    ...aiSdk('ai-openai', 'openai'),
    name: 'AI SDK `openai`',
    api: 'OpenAI Responses',
    main: '@ai-sdk/openai',
    setup: `\`\`\`js
createOpenAI({ baseURL: 'URL/v1', apiKey: KEY })('auto');
\`\`\`

It sends ids in place of replies: Plimsoll keeps them with [\`threads: on\`](CONFIGURATION.md). Without, set \`store: false\` in
\`providerOptions.openai\`.`,
    gateway: { threads: 'on' },
  },
  {
    ...aiSdk('ai-openai-chat', 'openai-chat'),
    name: 'AI SDK `openai.chat`',
    api: 'OpenAI chat',
    main: '@ai-sdk/openai',
    setup: `\`\`\`js
createOpenAI({ baseURL: 'URL/v1', apiKey: KEY }).chat('auto');
\`\`\``,
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
    ...sdk('langchain-responses', 'langchain.mjs', { PROVIDER: 'responses' }),
    name: 'LangChain `ChatOpenAI`, `useResponsesApi`',
    api: 'OpenAI Responses',
    packages: LANGCHAIN,
    main: '@langchain/openai',
    setup: `\`\`\`js
new ChatOpenAI({ model: 'auto', apiKey: KEY, useResponsesApi: true, configuration: { baseURL: 'URL/v1' } });
\`\`\``,
  },
  {
    ...sdk('openai-agents', 'openai-agents.mjs'),
    name: 'OpenAI Agents SDK',
    api: 'OpenAI Responses',
    packages: AGENTS,
    main: '@openai/agents',
    setup: `\`\`\`js
const modelProvider = new OpenAIProvider({ baseURL: 'URL/v1', apiKey: KEY });
await new Runner({ modelProvider, tracingDisabled: true }).run(new Agent({ model: 'auto', … }), 'Hi');
\`\`\`

\`tracingDisabled\`: traces would go to OpenAI.`,
  },
  {
    ...sdk('openai-agents-chat', 'openai-agents.mjs', { PROVIDER: 'chat' }),
    name: 'OpenAI Agents SDK, `useResponses: false`',
    api: 'OpenAI chat',
    packages: AGENTS,
    main: '@openai/agents',
    setup: `\`\`\`js
new OpenAIProvider({ baseURL: 'URL/v1', apiKey: KEY, useResponses: false });
\`\`\``,
  },
  ...(['JSON', 'JSON_SCHEMA'] as const).map(
    (mode): Client => ({
      ...sdk(`instructor-${mode === 'JSON' ? 'json' : 'json-schema'}`, 'instructor.mjs', { MODE: mode }),
      name: `Instructor, mode \`${mode}\``,
      api: 'OpenAI chat',
      packages: ['@instructor-ai/instructor', 'openai@6', 'zod@3'],
      main: '@instructor-ai/instructor',
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
