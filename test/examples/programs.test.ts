import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LadderGateway } from '../clients/ladder-gateway.ts';
import { EXAMPLES, runExample, startForExamples } from './running-example.ts';

let gateway: LadderGateway;
beforeAll(async () => {
  gateway = await startForExamples();
});
afterAll(() => gateway.close());

const PROGRAMS = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('main.mjs'),
);

test('there is a program for each official client', () => {
  expect(PROGRAMS.toSorted()).toEqual([
    'ai-sdk/main.mjs',
    'anthropic-sdk/main.mjs',
    'langchain/main.mjs',
    'openai-sdk/main.mjs',
  ]);
});

test.each(PROGRAMS)('%s: the model that replied, its text, and a stream', async (program) => {
  gateway.asked();
  const [reply, stream, ...rest] = (await runExample(program, gateway.url)).split('\n');
  expect(rest).toEqual(['']);
  const [model, ...words] = reply!.split(': ');
  const asked = gateway.asked();
  expect(asked).toHaveLength(2);
  expect(model).toMatch(new RegExp(`^(?:\\w+/)?${asked[0]}$`));
  expect(words.join(': ')).toMatch(/\w+ \w+/);
  expect(stream).toMatch(/\w+ \w+/);
});

test('curl/route.sh: a decision, a reply with its headers, a stream to its end', async () => {
  gateway.asked();
  const output = await runExample('curl/route.sh', gateway.url);
  const served = /^x-plimsoll-served: (\S+)\r?$/im.exec(output)?.[1];
  expect(JSON.parse(output.split('\n')[0]!).model).toBe(served); // it was routed as the decision said
  expect(output).toMatch(/^data: \[DONE\]$/m);
  expect(gateway.asked()).toHaveLength(2);
});

test('a program whose server is away ends with an error', async () => {
  await expect(runExample('curl/route.sh', 'http://127.0.0.1:9')).rejects.toThrow(/7|connect/i);
});
