import { afterProvider, type Catalog, costUsd, createCatalog } from '../../router/catalog/index.ts';
import type { Config } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { Router } from '../../router/router.ts';
import type { RequestTraits } from '../../router/rules/index.ts';
import { withEfforts } from '../../router/targets/index.ts';
import type { Outcome } from '../../router/types.ts';
import type { Case } from '../cases/index.ts';
import { type BeforeAfter, Comparison, type Move, Moves } from './plan-tally.ts';

export interface CasePlanOptions {
  readonly cases: readonly Case[];
  /** The present configuration. */
  readonly before: Config;
  /** The changed one. */
  readonly after: Config;
}

/** What a changed configuration would do with labelled cases. */
export interface CasePlan {
  readonly schema_version: 1;
  readonly cases: number;
  /** Cases that both configurations route; a rule may refuse others. */
  readonly planned: number;
  readonly refused: number;
  readonly flipped: number;
  readonly moves: readonly Move[];
  /** Quality as it was labelled, 0 to 1, on the cases with a label of both models; null below two. */
  readonly quality: BeforeAfter | null;
  /** US dollars a request; null below two cases of which both are known. */
  readonly cost_usd: BeforeAfter | null;
  /** Cases without a label of the model that one of the two would choose. */
  readonly unlabelled: number;
}

interface Side {
  readonly router: Router;
  readonly catalog: Pick<Catalog, 'has' | 'get'>;
}

/**
 * Routes the prompt of each case under both configurations, and compares what the labels say of the two models. No model is called.
 * @throws PlimsollError `invalid-input` if an artifact judges replies, `insufficient-data` if no case is routed by both; as `createRouter`
 */
export async function planCases({ cases, before, after }: CasePlanOptions): Promise<CasePlan> {
  const was = await sideOf(before);
  try {
    const is = await sideOf(after);
    try {
      return await compare(cases, was, is);
    } finally {
      await is.router.close();
    }
  } finally {
    await was.router.close();
  }
}

async function sideOf({ watch: _, ...config }: Config): Promise<Side> {
  const router = await createRouter(config as Config);
  if (router.ladder.every((_, rung) => router.canJudge(rung, []) === undefined))
    return { router, catalog: withEfforts(createCatalog(config as Config)) };
  await router.close();
  throw new PlimsollError(
    'invalid-input',
    'The artifact judges replies before they go out, which a plan of cases does not play out. plimsoll gate does.',
  );
}

async function compare(cases: readonly Case[], was: Side, is: Side): Promise<CasePlan> {
  const quality = new Comparison();
  const cost = new Comparison();
  const moves = new Moves();
  let flipped = 0;
  let planned = 0;
  let unlabelled = 0;
  for (const one of cases) {
    const [from, to] = [await modelOf(one, was.router), await modelOf(one, is.router)];
    if (from === undefined || to === undefined) continue;
    planned++;
    if (from !== to) {
      moves.add(from, to);
      flipped++;
    }
    const [old, changed] = [outcomeOf(one, from), outcomeOf(one, to)];
    if (old === undefined || changed === undefined) unlabelled++;
    quality.add(old?.quality, changed?.quality);
    cost.add(costOf(from, old, was), costOf(to, changed, is));
  }
  if (planned === 0)
    throw new PlimsollError(
      'insufficient-data',
      `Of ${cases.length} cases none is routed by both configurations.`,
    );
  return {
    schema_version: 1,
    cases: cases.length,
    planned,
    refused: cases.length - planned,
    flipped,
    moves: moves.all(),
    quality: quality.result(),
    cost_usd: cost.result(),
    unlabelled,
  };
}

/** Undefined if a rule refuses it. */
async function modelOf(one: Case, router: Router): Promise<string | undefined> {
  try {
    const options = router.ruled(traitsOf(one));
    return (await router.route({ prompt: one.text }, options)).model;
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'refused-by-rule') return undefined;
    throw error;
  }
}

/** A request with the prompt and the task of the case, and nothing else. */
function traitsOf({ text, task, isTaskPredicted }: Case): RequestTraits {
  return {
    model: 'auto',
    isExplicit: false,
    task: isTaskPredicted === true ? undefined : task?.toLowerCase(),
    tags: [],
    keyId: undefined,
    headers: {},
    text: () => text,
    budgetUsed: () => 0,
    sessionAge: () => undefined,
    needs: () => ({ tools: false, images: false, inputTokens: Math.ceil(text.length / 4) }),
  };
}

/** The label of a model. Which provider serves it does not matter. */
function outcomeOf({ outcomes }: Case, model: string): Outcome | undefined {
  const own = outcomes.get(model);
  if (own !== undefined) return own;
  const bare = afterProvider(model);
  for (const [name, outcome] of outcomes) if (afterProvider(name) === bare) return outcome;
  return undefined;
}

/** The labelled tokens at the price of the configuration; without either what the label says. */
function costOf(model: string, outcome: Outcome | undefined, { catalog }: Side): number | undefined {
  if (outcome === undefined) return undefined;
  const { inputTokens, outputTokens, costUsd: labelled } = outcome;
  if (inputTokens === undefined || outputTokens === undefined || !catalog.has(model)) return labelled;
  return costUsd(catalog.get(model).price, { inputTokens, outputTokens }) ?? labelled;
}
