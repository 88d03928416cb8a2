import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { rungOf, scoreText } from '../../evals/gate/replay.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { readArtifact, writeArtifact } from '../../router/artifact/index.ts';
import { classifierInput, createOnnxClassifier, featureExtractor } from '../../router/classifier/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import type { Reply } from '../../router/types.ts';
import { LARGE, MEDIUM, SMALL } from '../cli/made-up-data.ts';
import { layVerdict } from '../helpers/verdicts.ts';
import { smallCases, smallRun } from '../lifecycle/small-run.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw } from './running-gateway.ts';

/** By the name in the gateway's catalog. */
const LEARNED: Readonly<Record<string, string>> = { small: SMALL, medium: MEDIUM, large: LARGE };

/** The small cases with each model's replies: a good one is mostly sure of itself. */
function casesWithReplies(): Case[] {
  const random = seededRandom(7);
  return smallCases().map((one) => {
    const outcomes = [...one.outcomes].map(([model, outcome]) => {
      const confidenceLogprob = Math.log(outcome.quality === 1 ? 0.6 + 0.4 * random() : 0.1 + 0.7 * random());
      const reply: Reply = { text: random() < 0.5 ? 'B' : 'It is B, I think.', confidenceLogprob };
      return [model, { ...outcome, reply }] as const;
    });
    return { ...one, outcomes: new Map(outcomes) };
  });
}

/** A provider that says what the case's model said. */
async function replaying(cases: readonly Case[]): Promise<string> {
  const byText = new Map(cases.map(({ text, outcomes }) => [text, outcomes]));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { model, messages, logprobs } = JSON.parse(Buffer.concat(chunks).toString());
      const { text, confidenceLogprob } = byText.get(messages[0].content)!.get(LEARNED[model]!)!.reply!;
      const content = [{ token: text, logprob: confidenceLogprob }];
      const message = { role: 'assistant', content: text };
      const choice = { index: 0, message, logprobs: logprobs ? { content } : null, finish_reason: 'stop' };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ choices: [choice] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

test.each([
  ['two', { cheap: 'small', strong: 'large' }],
  ['three', { cheap: 'small', middle: 'medium', strong: 'large' }],
])(
  'what serves is what the gate replays: the same requests stay on the same of %s rungs',
  async (_, names) => {
    const cases = casesWithReplies();
    const candidates = Object.entries(names);
    const ladder = candidates.map(([candidate, name]) => ({ candidate, model: LEARNED[name]! }));
    const served = candidates.map(([candidate, name]) => [candidate, `first/${name}`] as const);
    const folder = path.join(scratchFolder(), 'small');
    writeArtifact(folder, await train(...smallRun({ cases, ladder, cascade: true })));
    const artifact = readArtifact(folder);
    const { manifest } = artifact;
    const { threshold } = layVerdict(folder).policy;
    const classifier = await createOnnxClassifier(
      artifact.classifier,
      await classifierInput(manifest),
      featureExtractor(manifest.features),
    );
    const running = await gatewayForTest({
      firstUrl: await replaying(cases),
      config: {
        artifact: folder,
        ladder: Object.fromEntries(served),
        models: Object.fromEntries(served.map(([, name]) => [name, {}])),
        profiles: {},
      },
    });
    const rungs: number[] = [];
    for (const { text, outcomes } of cases.slice(0, 120)) {
      const response = await postRaw(running.url, '/v1/chat/completions', ask(text));
      await response.text();
      const scored = await scoreText(text, (model) => outcomes.get(model)?.reply, classifier, manifest);
      const rung = rungOf(scored, threshold, manifest.cascade);
      expect(response.headers.get('x-plimsoll-served')).toBe(served[rung]![1]);
      expect(response.headers.get('x-plimsoll-reason') === 'cascade-accepted').toBe(rung < ladder.length - 1);
      rungs.push(rung);
    }
    expect(new Set(rungs).size).toBe(ladder.length);
  },
);
