import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseRung } from '../../router/policy/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, DAY_MS, layVerdict } from '../helpers/verdicts.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { ask, gatewayForTest, postRaw, type Wishes } from './running-gateway.ts';

const GATED = 0.3;
const PICTURE = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const SEES = { capabilities: ['images'] as 'images'[] };
const BLIND = { capabilities: [] };

/** A gateway whose artifact learned from the very models that it serves, with a decision log to read after `close`. */
async function gatedGateway({ config = {}, ...rest }: Wishes = {}) {
  const folder = scratchFolder();
  const file = path.join(folder, 'decisions.jsonl');
  const artifact = copyAs((await tinyArtifact()).folder, path.join(folder, 'own'), [
    'first/small',
    'first/large',
  ]);
  layVerdict(artifact);
  const running = await gatewayForTest({
    config: { artifact, decision_log: { file }, ...config },
    ...rest,
  });
  const records = async (): Promise<DecisionRecord[]> => {
    await running.close();
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  return { ...running, records };
}

type Running = Awaited<ReturnType<typeof gatedGateway>>;

async function asked({ url }: Running, body: object, route = '/v1/chat/completions') {
  const response = await postRaw(url, route, body);
  const header = (name: string) => response.headers.get(`x-plimsoll-${name}`);
  return {
    status: response.status,
    selected: header('selected'),
    reason: header('reason'),
    verdict: header('verdict'),
    body: (await response.json()) as { error?: { message: string; code?: string; param?: string } },
  };
}

describe('a threshold in model', () => {
  test('any other than the gated one: the record has the one that was used, its rung and no PASS', async () => {
    const running = await gatedGateway({ config: { allow_ungated: true } });
    const { easy, hard } = running.artifact;
    const thresholds = fc.integer({ min: -100, max: 100 }).map((n) => n / 100);
    const asks = fc.sample(fc.tuple(thresholds, fc.constantFrom(easy[0]!, hard[0]!)), 20);
    for (const [threshold, text] of asks) {
      const { status, verdict } = await asked(running, ask(text, `router-default-${threshold}`));
      expect([status, verdict]).toEqual([200, threshold === GATED ? 'PASS' : 'none']);
    }
    const records = await running.records();
    expect(records).toHaveLength(asks.length);
    for (const [i, { threshold, verdict, ungated_reason, scores, selected, reason }] of records.entries()) {
      expect(threshold).toBe(asks[i]![0]);
      const rung = chooseRung([scores!['cheap']!, scores!['strong']!], threshold!);
      expect(selected).toBe(['first/small', 'first/large'][rung]);
      if (threshold === GATED) continue;
      expect([verdict, ungated_reason, reason]).toEqual(['none', 'ungated-threshold', 'requested-threshold']);
    }
  });

  test.each(['0.3', '.3', '0.30'])('the gated one, written as %s, is what was gated', async (written) => {
    const running = await gatedGateway();
    const easy = running.artifact.easy[0]!;
    expect(await asked(running, ask(easy, `router-default-${written}`))).toMatchObject({
      verdict: 'PASS',
      reason: 'within-threshold',
    });
  });

  test.each([
    ['router-always-strong-0.3', /always-strong has no threshold/],
    ['router-default-1.5', /from -1 to 1/],
    [`router-default-${'9'.repeat(200)}`, /from -1 to 1/],
  ])('%s is refused with a 400 that names model', async (model, message) => {
    const running = await gatedGateway({ config: { allow_ungated: true } });
    const { status, body } = await asked(running, ask('Hello', model));
    expect([status, body.error!.param]).toEqual([400, 'model']);
    expect(body.error!.message).toMatch(message);
  });
});

describe('the verdict', () => {
  test('PASS by a ladder that was learned from, stale by a profile with another, none without a policy', async () => {
    const running = await gatedGateway();
    const easy = running.artifact.easy[0]!;
    const verdicts = [];
    for (const model of ['auto', 'auto:claude', 'router-always-strong', 'first/small']) {
      verdicts.push((await asked(running, ask(easy, model))).verdict);
    }
    expect(verdicts).toEqual(['PASS', 'stale', 'PASS', 'none']);
    expect(await running.records()).toMatchObject([
      { verdict: 'PASS' },
      { verdict: 'stale', ungated_reason: 'other-models' },
      { verdict: 'PASS' },
      { reason: 'explicit-model' },
    ]);
  });

  test('a stale router may have a profile that is not', async () => {
    const running = await gatedGateway({
      config: {
        ladder: { cheap: 'claude/small', strong: 'claude/large' },
        profiles: { learned: { ladder: { cheap: 'first/small', strong: 'first/large' } } },
      },
    });
    const easy = running.artifact.easy[0]!;
    expect((await asked(running, ask(easy))).verdict).toBe('stale');
    expect((await asked(running, ask(easy, 'auto:learned'))).verdict).toBe('PASS');
    expect(running.log.filter((line) => line.includes('stale, its probabilities'))).toHaveLength(1);
  });

  test('below a floor of the configuration: header, metrics and record say none', async () => {
    const running = await gatedGateway({ config: { allow_ungated: true, gate: { min_confidence: 0.99 } } });
    const response = await postRaw(running.url, '/v1/chat/completions', ask(running.artifact.easy[0]!));
    expect(response.headers.get('x-plimsoll-verdict')).toBe('none');
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain(
      'plimsoll_ungated_decisions_total{verdict="none",ungated_reason="below-floor"} 1',
    );
    expect(await running.records()).toMatchObject([{ verdict: 'none', ungated_reason: 'below-floor' }]);
  });

  test('expires while it serves, in the decision of that moment, in the log and in the metrics', async () => {
    let clockMs = Date.now();
    const running = await gatedGateway({ nowMs: () => clockMs });
    const easy = running.artifact.easy[0]!;
    expect((await asked(running, ask(easy))).verdict).toBe('PASS');
    clockMs += 91 * DAY_MS;
    expect((await asked(running, ask(easy))).verdict).toBe('expired');
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain(
      'plimsoll_decisions_total{candidate="cheap",reason="within-threshold",policy="default",verdict="expired"} 1',
    );
    expect(metrics).toContain(
      'plimsoll_ungated_decisions_total{verdict="expired",ungated_reason="expired"} 1',
    );
    const [before, after] = await running.records();
    expect(before).not.toHaveProperty('ungated_reason');
    expect(after).toMatchObject({ verdict: 'expired', ungated_reason: 'expired' });
  });
});

describe('what a rung cannot take', () => {
  const withPicture = (text: string) => ({
    model: 'auto',
    messages: [{ role: 'user', content: [{ type: 'text', text }, PICTURE] }],
  });
  const capable = (small: object, large: object, more = {}) => ({
    config: {
      models: {
        'first/small': small,
        'first/large': large,
        'claude/small': {},
        'claude/large': {},
        'second/large': {},
        'claude2/large': {},
      },
      ...more,
    },
  });

  test('goes up and keeps the PASS; a hard prompt would have gone there anyway', async () => {
    const running = await gatedGateway(capable(BLIND, SEES));
    const { easy, hard } = running.artifact;
    const up = { status: 200, selected: 'first/large', verdict: 'PASS' };
    expect(await asked(running, withPicture(easy[0]!))).toMatchObject({ ...up, reason: 'requirements' });
    expect(await asked(running, withPicture(hard[0]!))).toMatchObject({ ...up, reason: 'over-threshold' });
  });

  test('goes down only with allow_downgrade, and then claims nothing', async () => {
    const strict = await gatedGateway(capable(SEES, BLIND));
    const { easy, hard } = strict.artifact;
    expect(await asked(strict, withPicture(easy[0]!))).toMatchObject({
      status: 200,
      selected: 'first/small',
      reason: 'within-threshold',
      verdict: 'PASS',
    });
    for (const model of ['auto', 'router-always-strong']) {
      const refused = await asked(strict, { ...withPicture(hard[0]!), model });
      expect(refused.status).toBe(400);
      expect(refused.body.error!.message).toMatch(
        /Only a cheaper candidate .*\(images.*first\/large lacks images.*allow_downgrade/,
      );
    }
    const lenient = await gatedGateway(capable(SEES, BLIND, { upstream: { allow_downgrade: true } }));
    expect(await asked(lenient, withPicture(hard[0]!))).toMatchObject({
      status: 200,
      selected: 'first/small',
      reason: 'requirements',
      verdict: 'none',
    });
    expect(await lenient.records()).toMatchObject([{ verdict: 'none', ungated_reason: 'downgraded' }]);
  });

  test('is a 400 that says what each rung lacks if no rung can', async () => {
    const running = await gatedGateway(capable(BLIND, BLIND));
    const { status, body } = await asked(running, withPicture(running.artifact.easy[0]!));
    expect(status).toBe(400);
    expect(body.error!.message).toMatch(/first\/small lacks images; first\/large lacks images/);
  });
});

describe('without text of a person', () => {
  const toolCall = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
  };
  const openai: [string, object[]][] = [
    ['a picture alone', [{ role: 'user', content: [PICTURE] }]],
    ['an empty text', [{ role: 'user', content: '' }]],
    ['white space', [{ role: 'user', content: [{ type: 'text', text: ' \n' }] }]],
    ['no content', [{ role: 'user', content: null }]],
    ['a system prompt alone', [{ role: 'system', content: 'Be kind.' }]],
    ['a tool result alone', [toolCall, { role: 'tool', tool_call_id: 'call_1', content: 'sunny' }]],
  ];
  const anthropic: [string, object[]][] = [
    [
      'a picture alone',
      [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          ],
        },
      ],
    ],
    [
      'a tool result alone',
      [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' }] }],
    ],
  ];

  test('auto goes to the strongest rung, reason no-text, and keeps the PASS', async () => {
    const running = await gatedGateway();
    const strongest = { status: 200, selected: 'first/large', reason: 'no-text', verdict: 'PASS' };
    for (const [what, messages] of openai) {
      expect([what, await asked(running, { model: 'auto', messages })]).toMatchObject([what, strongest]);
    }
    const claude = { ...strongest, selected: 'claude/large', verdict: 'stale' };
    for (const [what, messages] of anthropic) {
      const body = { model: 'auto:claude', max_tokens: 9, messages };
      expect([what, await asked(running, body, '/v1/messages')]).toMatchObject([what, claude]);
    }
    const [record] = await running.records();
    expect(record).toMatchObject({ reason: 'no-text', threshold: GATED });
    expect(record).not.toHaveProperty('scores');
  });

  test('to the strongest that can, though a stronger one cannot', async () => {
    const running = await gatedGateway({
      config: {
        models: { 'first/small': SEES, 'first/large': BLIND, 'claude/small': {}, 'claude/large': {} },
      },
    });
    const { messages } = { messages: openai[0]![1] };
    expect(await asked(running, { model: 'auto', messages })).toMatchObject({
      status: 200,
      selected: 'first/small',
      reason: 'no-text',
      verdict: 'none',
    });
  });

  test('no messages at all stays a 400', async () => {
    const running = await gatedGateway();
    for (const messages of [[], null, 'Hello']) {
      expect((await asked(running, { model: 'auto', messages })).status).toBe(400);
    }
  });
});
