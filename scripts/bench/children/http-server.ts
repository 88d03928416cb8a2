import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { loadConfig } from '../../../router/config/index.ts';
import { createRouter } from '../../../router/create-router.ts';
import { bodyLimits, createSender, jsonBody } from '../../../router/http/index.ts';
import { defaultBudgetBytes, MemoryBudget } from '../../../router/memory-budget.ts';
import { createApp, decisionJson } from '../../../router/server/index.ts';
import { createLogger } from '../../../router/telemetry/index.ts';

/**
 * One side of the http-saturation benchmark, in a process of its own: `http-server.ts router|constant <artifact>`. Sends its
 * parent the port, then replies to each message with the processor time used so far.
 */
const [, , side, artifact] = process.argv;
const config = loadConfig(undefined, {}, { artifact: artifact!, allowUngated: true, logLevel: 'info' });
const router = await createRouter(config);
const app = side === 'router' ? createApp(router, config, createLogger(config.logLevel)) : await constant();

/** The same Express with the same reading and sending, which always sends one decision. */
async function constant(): Promise<Express> {
  const send = createSender({ draining: false });
  const answer = decisionJson(await router.route({ prompt: 'What is the capital of France?' }));
  const constantApp = express();
  constantApp.disable('x-powered-by');
  constantApp.disable('etag');
  const budget = new MemoryBudget(defaultBudgetBytes());
  const limits = bodyLimits({ config, budget }, config.server.maxBodyBytes);
  const handlers = [jsonBody(limits, send, 'server.max_body_bytes')];
  constantApp
    .route('/v1/route')
    .post(...handlers, (request, response) => send.json(request, response, answer));
  return constantApp;
}

/** Since the start of the process, in ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => process.send!({ cpuMs: cpuMs() }));
process.on('disconnect', () => process.exit());
