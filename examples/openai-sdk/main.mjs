import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: `${process.env.PLIMSOLL_URL ?? 'http://127.0.0.1:8787'}/v1`,
  apiKey: process.env.PLIMSOLL_KEY ?? 'unused-on-loopback',
});
const messages = [{ role: 'user', content: 'Translate good morning into French.' }];

const { data, response } = await client.chat.completions.create({ model: 'auto', messages }).withResponse();
console.log(`${response.headers.get('x-plimsoll-served')}: ${data.choices[0].message.content}`);

const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true });
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? '');
console.log();
