import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { decisionRecordsOf, plan, planMarkdown, planText } from '../../evals/plan/index.ts';
import { createReplay } from '../../evals/plan/replay.ts';
import { createCatalog } from '../../router/catalog/index.ts';
import { type Config, configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { gatewayForTest, postRaw } from '../gateway/running-gateway.ts';
import { sampled, scaled } from '../helpers/long-run.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';

const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }];
const CALL = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }],
};

interface Sent {
  readonly model?: string;
  readonly content: string;
  readonly tags?: string;
  readonly session: string;
  readonly picture?: boolean;
  /** The second turn of a loop of tools. */
  readonly withResult?: boolean;
}

function bodyOf({ model = 'auto', content, picture, withResult }: Sent) {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const user = { role: 'user', content: picture ? [{ type: 'text', text: content }, image] : content };
  const result = { role: 'tool', tool_call_id: 'c', content: 'It says so.' };
  return { model, max_tokens: 50, tools: TOOLS, messages: withResult ? [user, CALL, result] : [user] };
}

const folder = () => {
  const made = mkdtempSync(path.join(tmpdir(), 'plimsoll-plan-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

/** Sends requests one after the other to a gateway with this configuration. @returns its decision log */
async function recorded(
  config: object,
  sent: readonly Sent[],
): Promise<{ file: string; lines: DecisionRecord[] }> {
  const file = path.join(folder(), 'decisions.jsonl');
  const running = await gatewayForTest({ config: { ...config, decision_log: { file } } as never });
  for (const one of sent) {
    const headers = { 'x-session-id': one.session, ...(one.tags && { 'x-plimsoll-tags': one.tags }) };
    await (await postRaw(running.url, '/v1/chat/completions', bodyOf(one), headers)).text();
  }
  await running.close();
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DecisionRecord);
  return { file, lines };
}

/** A configuration as the gateway of `recorded` has it. */
async function configured(changes: object): Promise<Config> {
  const url = 'http://127.0.0.1:9/v1';
  const openai = { kind: 'openai-compatible', base_url: url };
  const large = { price: { input: 10, output: 20 } };
  return configSchema.parse({
    artifact: (await tinyArtifact()).folder,
    ladder: { cheap: 'first/small', strong: 'first/large' },
    providers: { first: openai, second: openai, claude: { kind: 'anthropic', base_url: url } },
    models: {
      'first/small': { price: { input: 1, output: 2 } },
      'first/large': large,
      'second/large': large,
      'claude/small': { id: 'claude-haiku-4-5' },
      'claude/large': { id: 'claude-sonnet-4-5' },
    },
    profiles: { claude: { ladder: { cheap: 'claude/small', strong: 'claude/large' } } },
    ...changes,
  });
}

async function replayed(lines: readonly DecisionRecord[], config: Config) {
  const clock = { nowMs: Date.now() };
  const router = await createRouter(config, { nowMs: () => clock.nowMs });
  onTestFinished(() => router.close());
  const replay = createReplay({ router, catalog: createCatalog(config), clock, assumeArtifact: false });
  const all = [];
  for (const line of lines) all.push(await replay(line));
  return all;
}

const OPEN = { allow_ungated: true };
const strict = { ...OPEN, policies: { strict: { threshold: -1, version: 1 } }, default_policy: 'strict' };
const loose = { ...OPEN, policies: { loose: { threshold: 0.95, version: 1 } }, default_policy: 'loose' };
const ruled = {
  ...OPEN,
  rules: [
    { name: 'vip', when: { tag: 'vip' }, at_least: 'strong' },
    { name: 'cheap-bulk', when: { tag: 'bulk' }, use: 'cheap' },
  ],
};

test.each(
  sampled<[string, object, boolean]>([
    ['a strict threshold', strict, true],
    ['a loose threshold', loose, true],
    ['rules by tag', ruled, true],
    ['another model on a rung', { ...OPEN, ladder: { cheap: 'first/small', strong: 'second/large' } }, true],
    ['sessions that stay', { ...OPEN, sessions: { stickiness: 'pinned' } }, false],
  ]),
)('%s: the plan says what live routing then does, bit for bit', async (_, changes, moves) => {
  const { easy, hard } = await tinyArtifact();
  const texts = [...easy.slice(0, 12), ...hard.slice(0, 12), '🜁🜂🜃 🜄🜅'];
  const sent: Sent[] = texts.flatMap((content, i) => [
    { content, session: `s${i}`, tags: i % 3 === 0 ? 'vip' : i % 3 === 1 ? 'bulk' : 'other' },
    { content, session: `s${i}`, tags: i % 3 === 0 ? 'vip' : 'other', withResult: true },
    { content, session: `p${i}`, picture: i % 2 === 0 },
    { content, session: `c${i}`, model: i % 2 ? 'auto:claude' : 'first/large' },
    { content, session: `t${i}`, model: 'router-default-0.3' },
  ]);
  const before = await recorded(OPEN, sent);
  const after = await recorded(changes, sent);
  const all = await replayed(before.lines, await configured(changes));
  expect(before.lines).toHaveLength(after.lines.length);
  let moved = 0;
  for (const [i, one] of all.entries()) {
    const live = after.lines[i]!;
    if (one.kind !== 'planned') {
      expect(live.selected, JSON.stringify(one)).toBeUndefined();
      continue;
    }
    const { to, routed } = one.request;
    if (to !== before.lines[i]!.selected) moved++;
    const was = before.lines[i]!;
    const told = routed && {
      reason: routed.decision.reason,
      verdict: routed.decision.verdict,
      ungated_reason: routed.decision.ungatedReason ?? undefined,
      threshold: routed.decision.threshold ?? undefined,
      predicted_loss: routed.decision.predictedLoss ?? undefined,
      rule: routed.decision.rule,
    };
    const { reason, verdict, ungated_reason, threshold, predicted_loss, rule } = live;
    expect({ to, ...told }, `request ${i}: ${JSON.stringify({ was, live })}`).toEqual({
      to: live.selected,
      ...(routed && { reason, verdict, ungated_reason, threshold, predicted_loss, rule }),
    });
  }
  expect(moved > 0).toBe(moves);
});

test('the same configuration moves nothing, and cost is what was paid', async () => {
  const { easy, hard } = await tinyArtifact();
  const sent = [...easy.slice(0, 20), ...hard.slice(0, 20)].map((content, i) => ({
    content,
    session: `s${i}`,
  }));
  const { file } = await recorded(OPEN, sent);
  const found = await plan({
    config: await configured(OPEN),
    records: decisionRecordsOf([file], { onNotes: () => {} }),
  });
  expect(found).toMatchObject({ requests: 40, planned: 40, flipped: 0, unknown: {}, moves: [] });
  expect(found.cost_usd?.change).toMatchObject({ n: 40, mean: 0, low: 0, high: 0 });
  expect(found.predicted_loss?.change.mean).toBe(0);
  expect(planText(found)).toContain('No request of 40 would go to another model');
});

test('a stricter threshold: counts, costs with the tokens of the replies that were made, and the limits they would use', async () => {
  const { easy, hard } = await tinyArtifact();
  const sent = [...easy.slice(0, 20), ...hard.slice(0, 20)].map((content, i) => ({
    content,
    session: `s${i}`,
  }));
  const { file, lines } = await recorded(OPEN, sent);
  const limits = [{ for: { provider: 'first' }, windows: [{ '24h': '30 requests' }] }];
  const config = await configured({ ...strict, limits });
  const found = await plan({ config, records: decisionRecordsOf([file], { onNotes: () => {} }) });
  const cheap = lines.filter(({ selected }) => selected === 'first/small');
  expect(cheap.length).toBeGreaterThan(10);
  expect(found.flipped).toBe(cheap.length);
  expect(found.flipped_up).toBe(cheap.length);
  const extra = cheap.reduce((sum, { cost_usd: usd = 0 }) => sum + 9 * usd, 0); // ten times the price
  expect(found.cost_usd!.change.mean * 40).toBeCloseTo(extra, 9);
  expect(found.predicted_loss!.after.mean).toBe(0);
  expect(found.quotas).toMatchObject([
    { scope: 'provider=first', window: '24h requests', cap: 30, peak: 40, over: 1 },
  ]);
  expect(planMarkdown(found)).toMatch(/^<!-- plimsoll-plan -->\n\n## \d+ of 40 requests/);
});

test('what the records do not say is told, not guessed', async () => {
  const { easy } = await tinyArtifact();
  const { lines } = await recorded({ ...OPEN, tasks: 'off' }, [
    { content: easy[0]!, session: 'a' },
    { content: easy[1]!, session: 'b', model: 'auto:claude' },
    { content: easy[2]!, session: 'c', model: 'first/small' },
    { content: easy[3]!, session: 'd', model: 'router-default' },
  ]);
  const why = async (changes: object, records = lines) =>
    (await replayed(records, await configured(changes))).map((one) =>
      one.kind === 'planned' ? 'planned' : 'why' in one && one.why,
    );
  expect(await why(OPEN)).toEqual(['planned', 'planned', 'planned', 'planned']);
  expect(await why({ ...OPEN, profiles: {} })).toEqual(['planned', 'no-such-profile', 'planned', 'planned']);
  const noArtifact = lines.map(({ artifact: _, ...rest }) => rest);
  expect(await why(OPEN, noArtifact)).toEqual(['no-artifact', 'no-artifact', 'planned', 'no-artifact']);
  const other = lines.map((line) => ({ ...line, artifact: 'aaaaaaaaaaaa' }));
  expect(await why(OPEN, other)).toEqual(['other-artifact', 'other-artifact', 'planned', 'other-artifact']);
  const byText = { ...OPEN, rules: [{ name: 'x', when: { matches: 'invoice' }, use: 'strong' }] };
  expect(await why(byText)).toEqual(['rule-reads-more', 'rule-reads-more', 'planned', 'rule-reads-more']);
  const byHeader = { ...OPEN, rules: [{ name: 'x', when: { header: { 'x-team': 'a' } }, use: 'strong' }] };
  expect(await why(byHeader)).toEqual(['rule-reads-more', 'rule-reads-more', 'planned', 'rule-reads-more']);
  const named = {
    ...OPEN,
    providers: { second: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } },
  };
  const gone = {
    ...named,
    ladder: { cheap: 'second/large', strong: 'second/huge' },
    models: { 'second/large': {}, 'second/huge': {} },
    profiles: {},
  };
  expect((await why(gone))[2]).toBe('no-such-model');
});

test('what nobody scored is not taken for what needs no score', async () => {
  const { easy, hard } = await tinyArtifact();
  const sent = [...easy.slice(0, 5), ...hard.slice(0, 5)].map((content, i) => ({
    content,
    session: `s${i}`,
  }));
  const strong = { ...OPEN, default_policy: 'always-strong' };
  const unscored = await recorded(strong, sent);
  const all = await replayed(unscored.lines, await configured(OPEN));
  expect(all).toEqual(sent.map(() => ({ kind: 'unknown', why: 'no-scores' })));
  const same = await replayed(unscored.lines, await configured(strong));
  expect(same.every((one) => one.kind === 'planned' && one.request.to === 'first/large')).toBe(true);
  const scored = await recorded({ ...strong, score_always: true }, sent);
  expect(scored.lines.every(({ selected, scores }) => selected === 'first/large' && scores)).toBe(true);
  const live = await recorded(OPEN, sent);
  const planned = await replayed(scored.lines, await configured(OPEN));
  expect(planned.map((one) => one.kind === 'planned' && one.request.to)).toEqual(
    live.lines.map(({ selected }) => selected),
  );
  const byRule = { ...OPEN, rules: [{ name: 'all', when: { tag: 'x' }, use: 'strong' }] };
  const ruledLines = await recorded(
    byRule,
    sent.map((one) => ({ ...one, tags: 'x' })),
  );
  expect((await replayed(ruledLines.lines, await configured(OPEN)))[0]).toEqual({
    kind: 'unknown',
    why: 'no-scores',
  });
});

test('rules that read the session or the budget are not planned as if there were none', async () => {
  const { easy } = await tinyArtifact();
  const { lines } = await recorded(OPEN, [{ content: easy[0]!, session: 'a' }]);
  for (const when of [
    { session_age: { turns: { at_least: 2 } } },
    { budget_used: { limit: 'day', at_least: 0.5 } },
  ]) {
    const limits = [{ name: 'day', for: {}, windows: [{ '24h': '9 usd' }] }];
    const priced = {
      'first/small': { price: { input: 1, output: 2 } },
      'first/large': { price: { input: 10, output: 20 } },
      'claude/small': { price: { input: 1, output: 2 } },
      'claude/large': { price: { input: 1, output: 2 } },
    };
    const config = await configured({
      ...OPEN,
      models: priced,
      limits,
      rules: [{ name: 'x', when, use: 'strong' }],
    });
    expect(await replayed(lines, config)).toEqual([{ kind: 'unknown', why: 'rule-reads-more' }]);
  }
});

test('a record with a wrong value in any field is none, and costs no other its place', async () => {
  const { easy } = await tinyArtifact();
  const { lines } = await recorded(OPEN, [{ content: easy[0]!, session: 'a', tags: 'x' }]);
  const whole = {
    ...lines[0]!,
    narrowed: { allowed: ['cheap'], session: { candidate: 'cheap', worth: [true], rescue: false } },
    cascade: {
      model: 'first/small',
      skip: 1,
      ms: 1,
      spent: [{ model: 'first/small', usage: { input_tokens: 1, output_tokens: 1 } }],
    },
    cache: { outcome: 'miss' },
    key_id: 'k',
    profile: 'claude',
    deployment: 'first/a',
    prompt: 'p',
  };
  const paths: string[][] = [];
  const collect = (value: unknown, at: string[]) => {
    if (at.length > 0) paths.push(at);
    if (value !== null && typeof value === 'object')
      for (const [name, inner] of Object.entries(value)) collect(inner, [...at, name]);
  };
  collect(whole, []);
  const file = path.join(folder(), 'decisions.jsonl');
  const config = await configured(OPEN);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths),
      fc.constantFrom<unknown>(null, 5, -1, 'abc', '', true, [], {}, [1], 1e308, { a: 1 }),
      async (at, wrong) => {
        const broken = structuredClone(whole) as unknown as Record<string, unknown>;
        let inner = broken;
        for (const name of at.slice(0, -1)) inner = inner[name] as Record<string, unknown>;
        inner[at.at(-1)!] = wrong;
        writeFileSync(file, `${JSON.stringify(broken)}\n${JSON.stringify(lines[0])}\n`);
        const found = await plan({ config, records: decisionRecordsOf([file], { onNotes: () => {} }) });
        expect(found.requests).toBeGreaterThanOrEqual(1);
        expect(planText(found)).not.toMatch(/NaN|Infinity|undefined/);
      },
    ),
    { numRuns: scaled(150) },
  );
});

test('a prompt on record is scored again by another artifact', async () => {
  const { easy, hard } = await tinyArtifact();
  const file = path.join(folder(), 'decisions.jsonl');
  const running = await gatewayForTest({
    config: { ...OPEN, decision_log: { file, include_prompt: true } } as never,
  });
  for (const content of [easy[0]!, hard[0]!])
    await (await postRaw(running.url, '/v1/chat/completions', bodyOf({ content, session: 'x' }))).text();
  await running.close();
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as DecisionRecord), artifact: 'aaaaaaaaaaaa' }));
  const all = await replayed(lines, await configured(OPEN));
  expect(all.map((one) => one.kind === 'planned' && one.request.to)).toEqual(
    lines.map(({ selected }) => selected),
  );
});

test('lines that are no records are counted, and a file without any is an error', async () => {
  const made = folder();
  const good = {
    schema_version: 1,
    time: '2026-11-01T00:00:00.000Z',
    requested_model: 'auto',
    reason: 'fixed-policy',
  };
  writeFileSync(
    path.join(made, 'a.jsonl'),
    `${JSON.stringify(good)}\n{"broken\n${JSON.stringify({ ...good, scores: { cheap: 7 } })}\n`,
  );
  const notes: string[] = [];
  const read = [];
  for await (const one of decisionRecordsOf([path.join(made, 'a.jsonl')], {
    onNotes: (lines) => notes.push(...lines),
  }))
    read.push(one);
  expect(read).toEqual([good]);
  expect(notes[0]).toMatch(/2 of 3 lines are no decision records, the first is line 2/);
  writeFileSync(path.join(made, 'b.jsonl'), '{"prompt": "hello"}\n');
  const none = async () => {
    for await (const _ of decisionRecordsOf([path.join(made, 'b.jsonl')], { onNotes: () => {} }));
  };
  await expect(none()).rejects.toThrow(/no decision records of version 1/);
});

test('a log that is given twice counts once', async () => {
  const made = folder();
  const record = {
    schema_version: 1,
    id: 'dec_1',
    time: '2026-11-01T00:00:00.000Z',
    requested_model: 'auto',
    reason: 'x',
  };
  const files = ['a.jsonl', 'copy.jsonl'].map((name) => path.join(made, name));
  for (const file of files) writeFileSync(file, `${JSON.stringify(record)}\n`);
  const notes: string[] = [];
  const read = [];
  for await (const one of decisionRecordsOf(files, { onNotes: (lines) => notes.push(...lines) }))
    read.push(one);
  expect(read).toHaveLength(1);
  expect(notes[0]).toMatch(/copy\.jsonl is left out: it begins with the record that .*a\.jsonl begins with/);
});

test('a threshold decides recorded scores as it decides fresh ones', async () => {
  const one = { threshold: 0.1, version: 1 };
  const router = await createRouter(await configured({ ...OPEN, policies: { one }, default_policy: 'one' }));
  onTestFinished(() => router.close());
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, fc.double({ min: -1, max: 1, noNaN: true }), (cheap, strong, threshold) => {
      const { decision } = router.decideAgain({ cheap, strong }, { threshold });
      expect(decision.candidate).toBe(strong - cheap <= threshold ? 'cheap' : 'strong');
      expect(decision.threshold).toBe(threshold);
    }),
  );
  expect(() => router.decideAgain({ cheap: 0.5 })).toThrow(/none for the candidate strong/);
});
