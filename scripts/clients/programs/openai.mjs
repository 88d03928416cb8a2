import OpenAI from 'openai';
import { apiKey, DESCRIPTION, model, prompt, readFile, SCHEMA, url } from './read-file.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const tools = [
  {
    type: 'function',
    function: {
      name: 'read_file',
      description: DESCRIPTION,
      parameters: SCHEMA,
      parse: JSON.parse,
      function: readFile,
    },
  },
];
const asked = { model, messages: [{ role: 'user', content: prompt }], tools };
console.log(await client.chat.completions.runTools(asked).finalContent());
console.log(await client.chat.completions.runTools({ ...asked, stream: true }).finalContent());
