import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { apiKey, DESCRIPTION, model, prompt, readFile, SCHEMA, url } from './read-file.mjs';

const client = new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0 });
const read = betaTool({ name: 'read_file', description: DESCRIPTION, inputSchema: SCHEMA, run: readFile });
const asked = { model, max_tokens: 1000, messages: [{ role: 'user', content: prompt }], tools: [read] };
for (const stream of [false, true]) {
  const message = await client.beta.messages.toolRunner({ ...asked, stream }).runUntilDone();
  console.log(message.content.map(({ text }) => text).join(''));
}
