import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Client, LADDERS } from '../../scripts/clients/client.ts';
import { runCell } from '../../scripts/clients/run-cell.ts';
import { type LadderGateway, startGateway } from '../../scripts/clients/stack.ts';

const ASK = `
import { readFileSync } from 'node:fs';
const { URL_OF_GATEWAY: url, PROMPT: prompt } = process.env;
const tools = [{ type: 'function', function: { name: 'read_file', parameters: { type: 'object' } } }];
const messages = [{ role: 'user', content: prompt }];
async function ask(more = {}) {
  const body = JSON.stringify({ model: 'auto', messages, tools, ...more });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + '/v1/chat/completions', { method: 'POST', headers, body });
  return (await response.json()).choices?.[0].message;
}
`;
const LOOP = `
const call = await ask();
messages.push(call, { role: 'tool', tool_call_id: call.tool_calls[0].id, content: RESULT });
console.log((await ask()).content);
`;

let gateway: LadderGateway;
beforeAll(async () => {
  gateway = await startGateway(LADDERS[3]!);
}, 90_000);
afterAll(() => gateway.close());

/** A program in the place of a client's. */
async function cellOf(program: string, timeoutMs = 30_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-cell-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'client.mjs'), ASK + program);
  const client: Client = {
    id: 'test',
    name: 'Test',
    api: 'OpenAI chat',
    packages: [],
    main: '',
    tool: { tool: 'read_file', input: { path: 'mark.txt' } },
    replies: 1,
    command: ({ installed, url, prompt }) => ({
      args: [path.join(installed, 'client.mjs')],
      env: { URL_OF_GATEWAY: url, PROMPT: prompt },
    }),
    setup: '',
  };
  return runCell(client, gateway, { folder, node: process.execPath }, timeoutMs);
}

test('a client that runs its tool and shows the last text works, on both rungs', {
  timeout: 90_000,
}, async () => {
  const cell = await cellOf(LOOP.replace('RESULT', "readFileSync('mark.txt', 'utf8')"));
  expect(cell).toEqual({
    client: 'test',
    ladder: 'mixed',
    works: true,
    served: ['anthropic/claude-sonnet-5-5', 'openai/gpt-6-luna'],
    dropped: [],
    refusals: [],
  });
});

test.each([
  ['that runs no tool', LOOP.replace('RESULT', "'done'"), "the model's text came 0 of 1 times"],
  ['that prints the file by itself', "console.log(readFileSync('mark.txt', 'utf8'));", /came 0 of 1 times/],
  ['whose request is refused', "await ask({ max_tokens: 'many' }); process.exit(1);", /^400: .*max_/],
])('a client %s does not work, and the cell says why', { timeout: 90_000 }, async (_, program, why) => {
  const cell = await cellOf(program);
  expect(cell.works).toBe(false);
  expect(cell.why).toMatch(why);
});

test('a client that does not end is ended', { timeout: 90_000 }, async () => {
  const cell = await cellOf('setInterval(() => {}, 1000);', 1_000);
  expect(cell).toMatchObject({ works: false, why: 'no answer within 1 s' });
});
