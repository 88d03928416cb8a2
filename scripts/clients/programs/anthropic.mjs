import Anthropic from '@anthropic-ai/sdk';
import { apiKey, DESCRIPTION, model, prompt, readFile, SCHEMA, url } from './read-file.mjs';

const client = new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0 });
const tools = [{ name: 'read_file', description: DESCRIPTION, input_schema: SCHEMA }];

/** The loop of the documentation: reply, results, reply. */
async function answer(ask) {
  const messages = [{ role: 'user', content: prompt }];
  for (;;) {
    const reply = await ask({ model, max_tokens: 1000, messages, tools });
    if (reply.stop_reason !== 'tool_use') return reply.content.map(({ text }) => text).join('');
    const results = reply.content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: readFile(input) }));
    messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results });
  }
}

console.log(await answer((asked) => client.messages.create(asked)));
console.log(await answer((asked) => client.messages.stream(asked).finalMessage()));
