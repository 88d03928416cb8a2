import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { type LadderGateway, startLadder } from '../clients/ladder-gateway.ts';

export const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');

/** The gateway on OpenAI's and Anthropic's models, as the examples find it. */
export function startForExamples(): Promise<LadderGateway> {
  return startLadder({ cheap: 'openai/gpt-6-luna', strong: 'anthropic/claude-sonnet-5-5' });
}

/** Runs a program of examples/ as it stands, and gives what it printed. */
export async function runExample(program: string, url: string): Promise<string> {
  const file = path.join(EXAMPLES, program);
  const child = spawn(program.endsWith('.mjs') ? process.execPath : 'sh', [file], {
    cwd: path.dirname(file),
    env: { PATH: process.env['PATH'], PLIMSOLL_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stderr).toBe(0);
  return stdout;
}
