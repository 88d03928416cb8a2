import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { isObject, parseJson } from '../../router/json/index.ts';
import { startFakeProvider } from '../fake-provider/index.ts';
import { type ExampleRequest, exampleReply, exampleRequests, MODELS } from './requests.ts';

/** Two made-up models and a grader that knows what is right, on ports of this machine. */
export interface ExampleWorld {
  readonly requests: readonly ExampleRequest[];
  readonly providerUrl: string;
  readonly graderUrl: string;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly requests: number;
  readonly seed: number;
  /** The grader listens on the next one. 0: any free ones. */
  readonly port: number;
}

export async function startWorld({ requests: count, seed, port }: WorldOptions): Promise<ExampleWorld> {
  const requests = exampleRequests(count, seed);
  const byPrompt = new Map(requests.map((request) => [request.prompt, request]));
  const provider = await startFakeProvider({
    port,
    models: MODELS,
    remember: 1,
    answer({ text: prompt, model }) {
      const known = byPrompt.get(prompt.trim());
      return known && exampleReply(known, model === 'large' ? 'large' : 'small');
    },
  });
  const grader = await startGrader(byPrompt, port === 0 ? 0 : port + 1);
  return {
    requests,
    providerUrl: provider.url,
    graderUrl: `http://127.0.0.1:${(grader.address() as AddressInfo).port}/grade`,
    async close() {
      grader.closeAllConnections();
      await Promise.all([provider.close(), new Promise((resolve) => grader.close(resolve))]);
    },
  };
}

/** A team's own checker, as graders of type http call it: 1 if the reply is what is right. */
async function startGrader(byPrompt: ReadonlyMap<string, ExampleRequest>, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    const sample = parseJson(await text(request));
    const { prompt, reply } = isObject(sample) ? sample : {};
    const known = byPrompt.get(`${prompt}`.trim());
    const quality = known === undefined ? null : Number(`${reply}`.trim() === known.answer);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ quality }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

/** The files that a team would write: two configurations, the graders, the suite. */
export function writeProject(folder: string, { providerUrl, graderUrl }: ExampleWorld, port: number): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string) => writeFileSync(path.join(folder, name), content);
  write('capture.yaml', configText(folder, providerUrl, port, BEFORE));
  write('routed.yaml', configText(folder, providerUrl, port, AFTER));
  write('graders.yaml', `graders:\n  - use:\n      - { type: http, url: '${graderUrl}' }\n`);
  write('suite.yaml', SUITE);
}

const BEFORE = `# Until there is a policy everything goes to the large model, as before.
ladder: { cheap: example/small, strong: example/large }
default_policy: always-strong
capture: { share: 1 }
`;
const AFTER = `artifact: FOLDER/models/first
capture: { share: 0.1 }
watch: { on_contradiction: strong }
`;
const SUITE = `schema_version: 2
name: first
max_quality_loss: 0.03
confidence: 0.95
escalation_rate: { min: 0.02, max: 0.9 }
`;

function configText(folder: string, url: string, port: number, own: string): string {
  return `providers:
  example: { kind: openai-compatible, base_url: '${url}' }
models:
  example/small: { price: { input: 0.15, output: 0.6 } }
  example/large: { price: { input: 2.5, output: 10 } }
state: { kind: sqlite, url: ${folder}/state.db }
server: { port: ${port} }
${own.replaceAll('FOLDER', folder)}`;
}
