import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';

const plimsoll = createOpenAICompatible({
  name: 'plimsoll',
  baseURL: `${process.env.PLIMSOLL_URL ?? 'http://127.0.0.1:8787'}/v1`,
  apiKey: process.env.PLIMSOLL_KEY ?? 'unused-on-loopback',
});
const request = { model: plimsoll.chatModel('auto'), prompt: 'Translate good morning into French.' };

const { text, response } = await generateText(request);
console.log(`${response.headers['x-plimsoll-served']}: ${text}`);

for await (const delta of streamText(request).textStream) process.stdout.write(delta);
console.log();
