import { ChatOpenAI } from '@langchain/openai';

const model = new ChatOpenAI({
  model: 'auto',
  apiKey: process.env.PLIMSOLL_KEY ?? 'unused-on-loopback',
  configuration: { baseURL: `${process.env.PLIMSOLL_URL ?? 'http://127.0.0.1:8787'}/v1` },
});
const prompt = 'Translate good morning into French.';

const reply = await model.invoke(prompt);
console.log(`${reply.response_metadata.model_name}: ${reply.text}`);

for await (const chunk of await model.stream(prompt)) process.stdout.write(chunk.text);
console.log();
