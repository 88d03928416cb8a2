import Anthropic from '@anthropic-ai/sdk';
import { apiKey, DESCRIPTION, model, prompt, SCHEMA, url } from './read-file.mjs';

const client = new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0 });
const asked = {
  model,
  messages: [{ role: 'user', content: prompt }],
  tools: [{ name: 'read_file', description: DESCRIPTION, input_schema: SCHEMA }],
};
for (const counter of [client.messages, client.beta.messages]) {
  const { input_tokens: tokens } = await counter.countTokens(asked);
  if (!(tokens > 0)) throw new Error(`The prompt has ${tokens} tokens.`);
}
const reply = await client.messages.create({ ...asked, tools: [], max_tokens: 1000 });
console.log(reply.content.map(({ text }) => text).join(''));
