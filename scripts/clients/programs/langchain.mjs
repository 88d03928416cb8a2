import { ChatAnthropic } from '@langchain/anthropic';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';
import { apiKey, DESCRIPTION, model, prompt, provider, readFile, url } from './read-file.mjs';

const settings = { model, apiKey, maxRetries: 0 };
const configuration = { baseURL: `${url}/v1` };
const MODELS = {
  openai: () => new ChatOpenAI({ ...settings, configuration }),
  responses: () => new ChatOpenAI({ ...settings, configuration, useResponsesApi: true }),
  anthropic: () => new ChatAnthropic({ ...settings, anthropicApiUrl: url }),
};
const read = tool((input) => readFile(input), {
  name: 'read_file',
  description: DESCRIPTION,
  schema: z.object({ path: z.string() }),
});

/** Its name goes to the API with each of its own messages. */
const agent = createAgent({ model: MODELS[provider](), tools: [read], name: 'reader' });
const input = { messages: [{ role: 'user', content: prompt }] };

console.log((await agent.invoke(input)).messages.at(-1).text);
let last;
const streamMode = ['values', 'messages']; // "messages" is what makes the model stream
for await (const [mode, chunk] of await agent.stream(input, { streamMode })) {
  if (mode === 'values') last = chunk;
}
console.log(last.messages.at(-1).text);
