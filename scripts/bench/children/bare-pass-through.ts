import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { Agent } from 'undici';

/**
 * The least that a gateway in Express 5 and undici can do: the body goes up as it comes, the answer comes down as it comes. No
 * decision, no retry, no log, no limit. `bare-pass-through.ts <port> <base URL of the upstream>`; what it adds is the floor.
 */
const [, , port, upstream] = process.argv as [string, string, string, string];
const { origin, pathname } = new URL(upstream);
const agent = new Agent({ connections: 1024 });

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/v1/{*path}', async (request, response) => {
  const answer = await agent.request({
    origin,
    path: pathname + request.path.slice('/v1'.length),
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: request,
  });
  response.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] });
  await pipeline(answer.body, response);
});

const server = createServer(app).listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
