import OpenAI from 'openai';
import { apiKey, DESCRIPTION, model, prompt, readFile, SCHEMA, url } from './read-file.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const parameters = { ...SCHEMA, additionalProperties: false };
const tools = [{ type: 'function', name: 'read_file', description: DESCRIPTION, parameters, strict: true }];

/** The loop of the documentation: the whole conversation goes with each request. */
async function answer(ask) {
  const input = [{ role: 'user', content: prompt }];
  for (;;) {
    const response = await ask({ model, input, tools, store: false });
    const calls = response.output.filter(({ type }) => type === 'function_call');
    if (calls.length === 0) return response.output_text;
    const results = calls.map(({ call_id, arguments: args }) => ({
      type: 'function_call_output',
      call_id,
      output: readFile(JSON.parse(args)),
    }));
    input.push(...response.output, ...results);
  }
}

/** The response that a stream ends with, if its deltas are that response's text. */
async function streamed(asked) {
  const stream = client.responses.stream(asked);
  let deltas = '';
  for await (const event of stream) if (event.type === 'response.output_text.delta') deltas += event.delta;
  const response = await stream.finalResponse();
  if (deltas !== response.output_text) throw new Error(`The deltas are ${JSON.stringify(deltas)}.`);
  return response;
}

console.log(await answer((asked) => client.responses.create(asked)));
console.log(await answer(streamed));
