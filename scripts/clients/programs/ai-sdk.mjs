import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText, tool } from 'ai';
import { z } from 'zod';
import { apiKey, DESCRIPTION, model, prompt, provider, readFile, url } from './read-file.mjs';

const settings = { baseURL: `${url}/v1`, apiKey };
const MODELS = {
  openai: () => createOpenAI(settings)(model),
  'openai-chat': () => createOpenAI(settings).chat(model),
  'openai-compatible': () => createOpenAICompatible({ name: 'plimsoll', ...settings }).chatModel(model),
  anthropic: () => createAnthropic(settings)(model),
};
const asked = {
  model: MODELS[provider](),
  prompt,
  maxRetries: 0,
  stopWhen: ({ steps }) => steps.length === 5,
  tools: {
    read_file: tool({
      description: DESCRIPTION,
      inputSchema: z.object({ path: z.string() }),
      execute: (input) => readFile(input),
    }),
  },
};
console.log((await generateText(asked)).text);
console.log(await streamText({ ...asked, onError: ({ error }) => console.error(error) }).text);
