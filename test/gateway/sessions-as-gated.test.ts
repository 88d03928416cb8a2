import { expect, test } from 'vitest';
import { parseCase } from '../../evals/cases/case.ts';
import { replayArtifact } from '../../evals/gate/index.ts';
import { replaySessions, sessionsOf } from '../../evals/gate/session-replay.ts';
import { readArtifact, readVerdict } from '../../router/artifact/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { gatewayForTest, postRaw } from './running-gateway.ts';

const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};
const SESSIONS = 6;
const REQUESTS = 8;

test('what the gate replays of sessions from a file is where the gateway sent them', async () => {
  const wanted = { stickiness: 'pinned', rescue_after: 2 } as const;
  const gateway = await gatewayForTest({ config: { sessions: wanted } });
  const { easy, hard, folder } = gateway.artifact;
  const random = seededRandom(5);
  const rows: object[] = [];
  const selected: (string | null)[] = [];
  for (let session = 0; session < SESSIONS; session++) {
    const messages: object[] = [];
    for (let turn = 0; turn < REQUESTS; turn++) {
      const isResult = turn > 0 && random() < 0.5;
      if (isResult) {
        const content = random() < 0.7 ? 'Error: no such file' : 'found it';
        messages.push(CALL, { role: 'tool', tool_call_id: 'c', content });
      } else {
        if (turn > 0) messages.push({ role: 'assistant', content: 'Done.' });
        const texts = random() < 0.25 ? hard : easy;
        messages.push({ role: 'user', content: texts[Math.floor(random() * texts.length)]! });
      }
      const body = { model: 'auto', max_tokens: 100, messages, tools: TOOLS };
      const headers = { 'x-session-id': `s${session}` };
      const response = await postRaw(gateway.url, '/v1/chat/completions', body, headers);
      await response.text();
      selected.push(response.headers.get('x-plimsoll-selected'));
      rows.push({ session: `s${session}`, turn, messages: [...messages], tools: TOOLS });
    }
  }
  const artifact = readArtifact(folder);
  const { ladder } = artifact.manifest;
  const cases = rows.map((row, i) => {
    const outcomes = Object.fromEntries(ladder.map(({ model }) => [model, { quality: 1 }]));
    return parseCase({ id: `r${i}`, ...row, outcomes }, `r${i}`);
  });
  const settings = configSchema.parse({ sessions: wanted }).sessions;
  const replay = await replayArtifact(artifact, cases, false);
  const models = ladder.map(({ model }) => ({ name: model, price: undefined }));
  const parts = { replay, sessions: sessionsOf(cases, ladder, settings), ladder: models, settings };
  const rungs = replaySessions(parts).rungsAt(readVerdict(folder)!.policy.threshold);
  expect(Array.from(rungs, (rung) => ['first/small', 'first/large'][rung])).toEqual(selected);
  expect(new Set(selected).size).toBe(2);
});
