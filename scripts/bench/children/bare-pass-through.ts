import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { Agent } from 'undici';

/**
 * The minimum that a gateway in Express 5 and undici can do: it pipes the body up and the response down. No decision, no retry, no
 * log, no limit. `bare-pass-through.ts <port> <base URL of the provider>`; the time that it adds is the floor.
 */
const [, , port, provider] = process.argv as [string, string, string, string];
const { origin, pathname } = new URL(provider);
const agent = new Agent({ connections: 1024 });

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/v1/{*path}', async (request, response) => {
  const reply = await agent.request({
    origin,
    path: pathname + request.path.slice('/v1'.length),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: request,
  });
  response.writeHead(reply.statusCode, { 'content-type': reply.headers['content-type'] });
  await pipeline(reply.body, response);
});

const server = createServer(app).listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
