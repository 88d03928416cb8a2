import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { runGate } from '../../evals/gate/index.ts';
import { createReplay } from '../../evals/plan/replay.ts';
import { verdictSchema } from '../../router/artifact/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { type DecisionRecord, recordedArtifact } from '../../router/records/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs } from '../helpers/verdicts.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

const SUITE = `name: sessions
max_quality_loss: 0.3
escalation_rate: { min: 0.05, max: 0.95 }
beats_random: false
`;
const PINNED = 'sessions: { settings: { stickiness: pinned } }\n';
const [CHEAP, STRONG] = ['tiny-cheap-1', 'tiny-strong-1'];

let tiny: TinyGating;
let data: string;
/** Sessions of an easy, a hard and an easy request: the cheap model does the easy ones well. */
let sessions: number;

interface Turn {
  readonly session: string;
  readonly turn: number;
  readonly messages: readonly object[];
}

beforeAll(async () => {
  tiny = await tinyGating();
  const { easy, hard } = await tinyArtifact();
  const askers = ['Dora', 'Emil', 'Fritz'];
  const pairs = Math.min(Math.floor(easy.length / 2), hard.length);
  sessions = askers.length * pairs;
  const rows: (Turn & { readonly cheap: number })[] = [];
  for (let i = 0; i < sessions; i++) {
    const messages: object[] = [];
    const [at, asker] = [i % pairs, askers[Math.floor(i / pairs)]!];
    for (const [turn, text] of [easy[2 * at]!, hard[at]!, easy[2 * at + 1]!].entries()) {
      messages.push({ role: 'user', content: `${asker} asks: ${text}` });
      rows.push({ session: `s${i}`, turn, messages: [...messages], cheap: turn === 1 ? 0 : 1 });
      messages.push({ role: 'assistant', content: 'Done.' });
    }
  }
  data = path.join(tiny.home, 'sessions.jsonl');
  const lines = rows
    .reverse() // their order is that of `turn`
    .map(({ cheap, ...row }, i) => {
      const amounts = { input_tokens: 100, output_tokens: 10 };
      const outcomes = { [CHEAP!]: { quality: cheap, ...amounts }, [STRONG!]: { quality: 1, ...amounts } };
      return `${JSON.stringify({ id: `r${i}`, ...row, outcomes })}\n`;
    });
  writeFileSync(data, lines.join(''));
});

function gated(more: string, write = false, artifact = tiny.artifact) {
  const suite = path.join(tiny.home, `sessions-${more.length}.yaml`);
  writeFileSync(suite, SUITE + more);
  return runGate({ artifact, suite, data: [data], write });
}

describe('a suite with sessions', () => {
  it('judges whole sessions, each as one draw, and says so', async () => {
    const { verdict } = await gated(PINNED);
    expect(verdictSchema.parse(verdict)).toEqual(verdict);
    const { n, units, sessions: section } = verdict.sealed;
    expect(n).toBe(3 * sessions);
    expect(units).toBe(sessions);
    expect(section).toEqual({
      several: sessions,
      requests: 3 * sessions,
      moved: expect.any(Number),
      settings: { ttl_ms: 3_600_000, pin_tool_turns: true, stickiness: 'pinned', rescue_after: 0 },
    });
    expect(section!.moved).toBeGreaterThan(10); // third requests that stay on the strong model
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(loss).toMatchObject({
      verdict: 'PASS',
      note: expect.stringContaining(`${sessions} sessions, each one bet`),
    });
    expect(verdict.sealed).not.toHaveProperty('weights');
    // what is described counts each request once
    const alone = (await gated('sessions: {}\n')).verdict;
    const rateOf = ({ evidence }: typeof verdict) => evidenceSchema.parse(evidence).escalation_rate!;
    if (alone.policy.threshold === verdict.policy.threshold)
      expect(rateOf(verdict) - rateOf(alone)).toBeCloseTo(section!.moved / n);
    expect(alone.sealed.sessions).toMatchObject({ moved: 0, settings: { stickiness: 'off' } });
  });

  it('asks for the prices and the tokens that decide', async () => {
    await expect(gated('sessions: { settings: { stickiness: priced } }\n')).rejects.toThrow(
      /sessions\.prices\.cheap/,
    );
    const prices =
      '{ cheap: { input: 1, output: 2, cached: 0.1 }, strong: { input: 10, output: 20, cached: 1 } }';
    const { verdict } = await gated(`sessions: { settings: { stickiness: priced }, prices: ${prices} }\n`);
    expect(verdict.sealed.sessions!.settings).toMatchObject({
      stickiness: 'priced',
      weight: 1,
      margin_usd: 0,
    });
  });

  it('is refused with what sessions cannot be judged by', async () => {
    await expect(gated(`${PINNED}sampling: groups\n`)).rejects.toThrow(/sampling: groups/);
    const suite = path.join(tiny.home, 'alone.yaml');
    writeFileSync(suite, SUITE + PINNED);
    await expect(runGate({ artifact: tiny.artifact, suite, data: [tiny.passing] })).rejects.toThrow(
      /no case names a session/,
    );
  });
});

test('a suite without sessions judges the same cases as it always did', async () => {
  const { verdict } = await gated('');
  expect(verdict.sealed).not.toHaveProperty('sessions');
  expect(verdict.sealed.units).toBe(3 * sessions);
});

test('a server keeps the PASS under the gated settings of sessions alone, and for requests in sessions alone', async () => {
  const artifact = copyAs(tiny.artifact, path.join(tiny.home, 'served'));
  const { verdict } = await gated(PINNED, true, artifact);
  expect(verdict.verdict).toBe('PASS');
  const easy = (await tinyArtifact()).easy[0]!;
  const serving = async (sessions: object, allow_ungated = false) =>
    createRouter(configSchema.parse({ artifact, sessions, allow_ungated, gate: {} }));
  await expect(serving({})).rejects.toThrow(
    /is of whole sessions with stickiness: pinned, and this server has stickiness: off/,
  );
  const other = await serving({}, true);
  expect(await other.route({ prompt: easy })).toMatchObject({
    verdict: 'none',
    ungatedReason: 'other-sessions',
  });
  const same = await serving({ stickiness: 'pinned' });
  const { candidate, verdict: kept } = await same.route({ prompt: easy }, { inSession: true });
  expect([candidate, kept]).toEqual(['cheap', 'PASS']);
  const hard = (await tinyArtifact()).hard[0]!;
  const turn = await same.route({ prompt: hard }, { inSession: true, pinnedRung: 0 });
  expect([turn.reason, turn.verdict]).toEqual(['same-turn', 'PASS']); // the gate has seen results of tools stay
  expect(await same.route({ prompt: easy })).toMatchObject({
    verdict: 'none',
    ungatedReason: 'other-sessions',
  });
  expect(await same.route({ prompt: easy }, { policy: 'always-strong' })).toMatchObject({ verdict: 'PASS' });
  const { scores, artifact: decidedBy } = await same.route({ prompt: easy }, { inSession: true });
  const record = {
    schema_version: 1,
    time: '2026-11-30T10:00:00.000Z',
    requested_model: 'auto',
    reason: 'within-threshold',
  };
  const policy = { name: 'default', version: 1, sha256: '' };
  const replay = createReplay({
    router: same,
    catalog: { has: () => false, get: () => expect.unreachable() },
    clock: { nowMs: Date.now() },
    assumeArtifact: false,
  });
  const planned = await replay({
    ...record,
    policy,
    selected: 'a',
    scores,
    artifact: recordedArtifact(decidedBy),
  } as unknown as DecisionRecord);
  expect(planned).toMatchObject({
    request: { routed: { decision: { candidate: 'cheap', verdict: 'PASS' } } },
  });
  await Promise.all([other.close(), same.close()]);
});
