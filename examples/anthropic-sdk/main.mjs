import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({
  baseURL: process.env.PLIMSOLL_URL ?? 'http://127.0.0.1:8787',
  apiKey: process.env.PLIMSOLL_KEY ?? 'unused-on-loopback',
});
const request = {
  model: 'auto',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Translate good morning into French.' }],
};

const { data, response } = await client.messages.create(request).withResponse();
const text = data.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
console.log(`${response.headers.get('x-plimsoll-served')}: ${text}`);

const stream = client.messages.stream(request);
stream.on('text', (delta) => process.stdout.write(delta));
await stream.done();
console.log();
