import createInstructor from '@instructor-ai/instructor';
import OpenAI from 'openai';
import { z } from 'zod';
import { apiKey, model, prompt, url } from './read-file.mjs';

const client = createInstructor({
  client: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }),
  mode: process.env.MODE,
});
const person = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: `${prompt} Then say who Ada Lovelace was.` }],
  response_model: { name: 'Person', schema: z.object({ name: z.string(), age: z.number() }) },
});
const { name, age } = person;
console.log(JSON.stringify({ name, age }));
