import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { batchGateway } from './batch-gateway.ts';

const PAGE = readFileSync(path.join(PACKAGE_FOLDER, 'docs/BATCHES.md'), 'utf8');

test('the commands of docs/BATCHES.md give the output of the page', async () => {
  const [, commands = '', shown = ''] = /^```sh\n(.*?)^```\n\n```text\n(.*?)^```$/ms.exec(PAGE) ?? [];
  const { url } = await batchGateway();
  const script = commands.replaceAll('http://127.0.0.1:8787', url);
  const child = spawn('bash', ['-e', '-c', script], {
    cwd: scratchFolder(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = (await text(child.stdout)).trimEnd().split('\n').sort();
  const patterns = shown
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*'));
  expect(printed).toHaveLength(patterns.length);
  for (const pattern of patterns) expect(printed.join('\n')).toMatch(new RegExp(`^${pattern}$`, 'm'));
});
