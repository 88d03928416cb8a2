import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { gatewayForTest } from '../gateway/running-gateway.ts';

const PAGE = readFileSync(new URL('../../docs/PEOPLE.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);

const run = promisify(execFile);

test('docs/PEOPLE.md: its configuration and its commands do what it says', { timeout: 180_000 }, async () => {
  const [config] = blocks('yaml');
  const { url } = await gatewayForTest({ config: { ...parse(config!), state: { kind: 'memory' } } });
  const [asking, answering] = blocks('sh').filter((block) => block.includes('curl'));
  const shell = async (command: string, task = '') => {
    const env = { PATH: process.env['PATH'], TASK: task };
    const { stdout } = await run('bash', ['-c', command.replaceAll('http://127.0.0.1:8787', url)], { env });
    return JSON.parse(stdout);
  };
  const asked = await shell(asking!);
  const [shown] = blocks('json');
  expect(Object.keys(asked)).toEqual(Object.keys(JSON.parse(shown!)));
  const lines = answering!.split('\n').filter(Boolean);
  expect(lines).toHaveLength(5);
  const results = [];
  for (const line of lines) results.push(await shell(line, asked.id));
  expect(results).toMatchObject([
    { data: [{ id: asked.id, status: 'waiting' }] },
    { messages: [{ role: 'user', text: 'May we cancel within two weeks?' }] },
    { status: 'claimed' },
    { status: 'answered' },
    { choices: [{ message: { content: 'Yes, in writing.' } }] },
  ]);
});
