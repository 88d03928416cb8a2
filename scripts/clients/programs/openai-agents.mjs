import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';
import { apiKey, DESCRIPTION, model, prompt, provider, readFile, url } from './read-file.mjs';

const chat = provider === 'chat' ? { useResponses: false } : {};
const modelProvider = new OpenAIProvider({ baseURL: `${url}/v1`, apiKey, ...chat });
const runner = new Runner({ modelProvider, tracingDisabled: true });
const read = tool({
  name: 'read_file',
  description: DESCRIPTION,
  parameters: z.object({ path: z.string() }),
  execute: (input) => readFile(input),
});
const agent = new Agent({ name: 'Reader', instructions: 'Answer from the file.', model, tools: [read] });

console.log((await runner.run(agent, prompt)).finalOutput);
const streamed = await runner.run(agent, prompt, { stream: true });
for await (const _ of streamed);
await streamed.completed;
console.log(streamed.finalOutput);
