import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  createRouter,
  type Decision,
  loadConfig,
  PlimsollError,
  type RouteOptions,
  type Router,
} from '../../router/index.ts';
import { expectPinned, pinnedJson, ROOT, sha256 } from './pinned.ts';
import { type NamedInput, namedInputs, shippedInputs } from './prompts.ts';

/** The router as it ships, and one with policies and thresholds of its own. */
const SHIPPED = loadConfig(undefined, {});
/** The one that the gate has passed, which is served. */
const THRESHOLD: number = JSON.parse(readFileSync(path.join(ROOT, 'models/starter/verdict.json'), 'utf8'))
  .policy.threshold;
const OPENED = {
  ...SHIPPED,
  allowUngated: true,
  policies: { thrifty: { threshold: 0.4, version: 3 } },
  ladder: { cheap: 'other-small', strong: 'other-large' },
};

const VARIANTS: readonly (readonly [string, 'shipped' | 'opened', RouteOptions])[] = [
  ['default', 'shipped', {}],
  ['cheap alone', 'shipped', { allowedRungs: [0] }],
  ['strong alone', 'shipped', { allowedRungs: [1] }],
  ['always-strong', 'shipped', { policy: 'always-strong' }],
  ['always-cheap', 'opened', { policy: 'always-cheap' }],
  ['thrifty', 'opened', { policy: 'thrifty' }],
  ['threshold 0.05', 'opened', { threshold: 0.05 }],
  ['threshold 0.05, cheap alone', 'opened', { threshold: 0.05, allowedRungs: [0] }],
];

const EXPLAINED_EVERY = 10;

/** How many of the shipped prompts on each side of the threshold, the nearest ones, are pinned with their distance from it. */
const NEAR = 3;
const SMALL_CHANGE = 1e-4;

/**
 * A line an input: its scores and what the variants decided, to be read, and a hash of the decisions whole. Latency and id are
 * left out of it, and `narrowed`, which repeats the options.
 */
async function line(routers: Record<string, Router>, { name, input }: NamedInput, at: number) {
  const decisions: Record<string, Omit<Decision, 'id' | 'latencyMs' | 'narrowed'>> = {};
  for (const [variant, router, options] of VARIANTS) {
    const { id: _, latencyMs: __, narrowed: ___, ...rest } = await routers[router]!.route(input, options);
    decisions[variant] = rest;
  }
  const explained = at % EXPLAINED_EVERY === 0 && (await routers['shipped']!.explain(input)).explanation;
  return {
    input: name,
    scores: rounded(decisions['default']!.scores),
    ...Object.fromEntries(Object.entries(decisions).map(([variant, decision]) => [variant, words(decision)])),
    sha256: sha256(JSON.stringify(decisions)),
    ...(explained && { explanation: sha256(JSON.stringify(explained)) }),
  };
}

function rounded(scores: Decision['scores']): Record<string, number> | null {
  if (scores === null) return null;
  return Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, Number(score.toFixed(9))]));
}

function words({ candidate, reason, verdict }: Pick<Decision, 'candidate' | 'reason' | 'verdict'>): string {
  return `${candidate} ${reason} ${verdict}`;
}

test('500 inputs are decided as they were', async () => {
  const inputs = namedInputs();
  expect(inputs.length).toBeGreaterThanOrEqual(500);
  const routers = { shipped: await createRouter(SHIPPED), opened: await createRouter(OPENED) };
  const lines: string[] = [];
  for (const [at, input] of inputs.entries()) lines.push(JSON.stringify(await line(routers, input, at)));
  await Promise.all(Object.values(routers).map((router) => router.close()));
  expectPinned('decisions.jsonl', `${lines.join('\n')}\n`);
});

test('the shipped prompts next to the threshold, below and above, are decided as they were', async () => {
  const routers = { shipped: await createRouter(SHIPPED), opened: await createRouter(OPENED) };
  const losses = new Map<NamedInput, number>();
  for (const one of shippedInputs()) {
    const { cheap, strong } = (await routers.shipped.route(one.input)).scores ?? {};
    if (cheap !== undefined && strong !== undefined) losses.set(one, strong - cheap);
  }
  const rising = [...losses].sort(([, a], [, b]) => a - b);
  const above = rising.findIndex(([, loss]) => loss > THRESHOLD);
  const lines: string[] = [];
  for (const [{ name, input }, loss] of rising.slice(above - NEAR, above + NEAR)) {
    const decided = words(await routers.shipped.route(input));
    lines.push(JSON.stringify({ input: name, distance: Number((loss - THRESHOLD).toFixed(9)), decided }));
    // Wherever the shipped threshold is: one that is off by little decides otherwise.
    const justBelow = await routers.opened.route(input, { threshold: loss - SMALL_CHANGE });
    const justAbove = await routers.opened.route(input, { threshold: loss + SMALL_CHANGE });
    expect([justBelow.candidate, justAbove.candidate], name).toEqual(['strong', 'cheap']);
  }
  await Promise.all(Object.values(routers).map((router) => router.close()));
  expectPinned('decisions-near-threshold.jsonl', `${lines.join('\n')}\n`);
});

test('options that are refused are refused with the same words', async () => {
  const router = await createRouter(SHIPPED);
  const said: unknown[] = [];
  for (const options of REFUSED) said.push({ options, ...(await refusal(router, options)) });
  await router.close();
  expectPinned('refused-decisions.json', pinnedJson(said));
});

const REFUSED: readonly RouteOptions[] = [
  { policy: 'nobody' },
  { policy: 'always-cheap' },
  { profile: 'nobody' },
  { threshold: 0.5 },
  { threshold: 2 },
  { policy: 'always-strong', threshold: 0.1 },
  { allowedRungs: [] },
  { allowedRungs: [1, 0] },
  { allowedRungs: [2] },
];

async function refusal(router: Router, options: RouteOptions) {
  const error = await router.route({ prompt: 'Hello' }, options).catch((thrown: unknown) => thrown);
  if (!(error instanceof PlimsollError)) throw new Error(`${JSON.stringify(options)} is not refused`);
  const { code, message, place } = error;
  return { code, message, place };
}
