import { competes } from '../artifact/index.ts';
import {
  type CatalogModel,
  isHuman,
  type Requirements,
  requirementsOf,
  unmetRequirements,
} from '../catalog/index.ts';
import { givesLogprobs, type UnroutedCall } from '../exchange/index.ts';
import { candidatesFor } from '../fallback/index.ts';
import { requestMessages } from '../prompt/index.ts';
import { canCarry, takesNative } from '../providers/index.ts';
import type { Decision, ReplyCheck, ReplyLacks, RoutedForCheck, RouteOptions, Router } from '../router.ts';
import { rungNamed } from '../rules/index.ts';
import type { ActiveSession, Standing } from '../sessions/index.ts';
import { isLarge, nextTurn } from '../turns.ts';
import type { Mutable } from '../types.ts';
import {
  type AllowedRungs,
  allowedRungs,
  type Lacks,
  nothingFits,
  onlyCheaperFits,
} from './allowed-rungs.ts';
import type { FurtherSignalOptions } from './further-signals.ts';
import { slowRungsOf } from './latency-class.ts';
import { lacksOfPeople } from './people-requirements.ts';
import { mayCallTools } from './reply-fault.ts';
import { profileParts, rungsOf, type Selection, type SelectionParts, selectionOf } from './selection.ts';

export async function selectRung(
  call: UnroutedCall,
  options: RouteOptions,
  parts: SelectionParts,
  session: ActiveSession | undefined,
): Promise<Selection> {
  const { router, catalog, fallbacks } = parts;
  const { allowDowngrade, hedge } = parts.upstream;
  const rungs = rungsOf(options.profile, router);
  const ladder = rungs.map(({ model }) => catalog.get(model));
  const rungOf = ({ candidate }: Decision) => rungs.findIndex((rung) => rung.candidate === candidate);
  const requirements = requirementsOf(call.body, call.dialect);
  const ofPeople = lacksOfPeople(call, requirements);
  const ownTurn = isLarge(call.bodyText ?? '') ? nextTurn : undefined;
  if (ownTurn) await ownTurn();
  const unable: CatalogModel[] = [];
  const specialists = specialistsElsewhere(rungs, ladder, () =>
    router.competingTask({ messages: requestMessages(call.body, call.dialect) }, options),
  );
  const lacks: Lacks = (model) =>
    unable.includes(model)
      ? ['a place for a field']
      : specialists.includes(model)
        ? ['this task']
        : isHuman(model.name)
          ? ofPeople
          : unmetRequirements(model, requirements);
  let allowed = allowedRungs(ladder, lacks);
  if (allowed.rungs.length === 0) throw nothingFits(allowed.excluded, requirements);
  const { cascade, latency } = profileParts(parts, options.profile) ?? parts;
  const replyMayLack =
    cascade !== 'off' && judgesReplies(options.profile, router)
      ? lacksOfReplies(call, requirements, ladder.slice(0, -1), parts.withoutLogprobs, cascade)
      : undefined;
  const pinnedRung = session?.pinnedRung(
    options,
    rungs.map(({ model }) => model),
  );
  const standing = session?.standing(options, ladder);
  const slowRungs = slowRungsOf(latency, parts.latencies, ladder, requirements.maxOutputTokens);
  const preferring = preferringOptions(options, pinnedRung, standing, slowRungs);
  const decideAmong = (rungs: AllowedRungs) => decide(call, preferring, rungs, router, replyMayLack);
  let { decision, checks } = await decideAmong(allowed);
  const first = decision;
  let rung = rungOf(first);
  // Whether an API can carry a request is checked only for the chosen model: it costs as much as mapping the request.
  for (let model = ladder[rung]; model && !(await canCarry(call, model)); model = ladder[rung]) {
    if (ownTurn) await ownTurn();
    unable.push(model);
    allowed = allowedRungs(ladder, lacks);
    if (allowed.rungs.length === 0) return selectionOf(unable, first, ladder, session); // their attempts say why, and send nothing
    ({ decision, checks } = await decideAmong(allowed));
    rung = rungOf(decision);
  }
  const isDowngrade = decision.reason === 'requirements' && decision.ungatedReason === 'downgraded';
  // A model that stands in for people who cannot serve the request is not a downgrade.
  const isOfModels = ladder.some((model, at) => at > rung && !isHuman(model.name) && lacks(model).length > 0);
  if (isDowngrade && isOfModels && !allowDowngrade) {
    if (unable.length > 0) return selectionOf(unable, first, ladder, session);
    throw onlyCheaperFits(allowed.excluded, requirements);
  }
  // After a failure no people are called: an outage would fill their queue.
  const mayFollow = (model: CatalogModel) => !isHuman(model.name) || model === ladder[rung];
  const fits = (model: CatalogModel) =>
    lacks(model).length === 0 && mayFollow(model) && takesNative(call, model);
  const called = ladder.slice(0, strongestCalled(options.rule, rungs));
  const candidates = candidatesFor({ rung, ladder: called, fallbacks, fits, allowDowngrade });
  const { policyChoice } = decision;
  const policyRung =
    policyChoice === undefined ? undefined : rungs.findIndex(({ candidate }) => candidate === policyChoice);
  const chosen = { options, rung, policyRung };
  const from = (start: number) => candidatesFor({ rung: start, ladder, fallbacks, fits });
  const isForPeople = ofPeople.length === 0;
  const routed = { ...selectionOf(candidates, decision, ladder, session, chosen, standing), isForPeople };
  const upward = allowDowngrade ? candidatesFor({ rung, ladder: called, fallbacks, fits }).length : undefined;
  const selected = upward === undefined ? routed : { ...routed, cheaper: candidates.slice(upward) };
  const selection = hedge === undefined ? selected : { ...selected, hedgeAmong: from(rung) };
  if (checks.length === 0) return selection;
  const checked = (await carriedChecks(call, checks, ladder)).map((check) => {
    const stronger = from(check.rung + 1);
    return { check, candidates: from(check.rung).filter((model) => !stronger.includes(model)) };
  });
  return { ...selection, escalation: { checks: checked, candidates: from(ladder.length - 1) } };
}

/** The options of a request, with the rung of its turn, what its conversation says, and the rungs that are slow. */
function preferringOptions(
  options: RouteOptions,
  pinnedRung: number | undefined,
  standing: Standing | undefined,
  slowRungs: RouteOptions['slowRungs'],
): RouteOptions {
  const preferring: Mutable<RouteOptions> = { ...options, inSession: true };
  if (pinnedRung !== undefined) preferring.pinnedRung = pinnedRung;
  if (standing?.stay !== undefined) preferring.session = standing.stay;
  if (slowRungs !== undefined) preferring.slowRungs = slowRungs;
  return preferring;
}

const NOBODY: readonly CatalogModel[] = [];

/** The models that are on the ladder for other tasks alone. */
function specialistsElsewhere(
  rungs: Router['ladder'],
  ladder: readonly CatalogModel[],
  taskOf: () => string | undefined,
): readonly CatalogModel[] {
  if (rungs.every(({ tasks }) => tasks === undefined)) return NOBODY;
  const task = taskOf();
  const competing = new Set(ladder.filter((_, rung) => competes(rungs[rung]!, task)));
  return ladder.filter((model) => !competing.has(model));
}

const NOTHING: ReplyLacks = [];

/** Whether the artifact that decides has a cascade: most have none, and then it does not matter what replies may lack. */
function judgesReplies(profile: string | undefined, router: Router): boolean {
  const { canJudge } = profileParts(router, profile) ?? router;
  return rungsOf(profile, router).some((_, rung) => canJudge(rung, NOTHING) !== undefined);
}

/** How many rungs may be called: what a rule rules out is not called after a failure either. */
function strongestCalled(rule: RouteOptions['rule'], rungs: Router['ladder']): number {
  if (rule?.action.kind !== 'at-most') return rungs.length;
  const { rung } = rule.action;
  return (
    rungNamed(
      rung,
      rungs.map(({ candidate }) => candidate),
    ) + 1
  );
}

/** Up to the first rung whose API cannot carry the request; that of the first one can. */
async function carriedChecks(
  call: UnroutedCall,
  checks: readonly ReplyCheck[],
  ladder: readonly CatalogModel[],
): Promise<readonly ReplyCheck[]> {
  for (const [at, { rung }] of checks.entries())
    if (at > 0 && !(await canCarry(call, ladder[rung]!))) return checks.slice(0, at);
  return checks;
}

/**
 * The signals that the judges of these models' replies cannot rely on. Undefined if no reply can be judged: the classifier and the judges read one text, and see
 * neither pictures nor sound nor several replies.
 */
function lacksOfReplies(
  { body, dialect }: UnroutedCall,
  { images, audio }: Requirements,
  models: readonly CatalogModel[],
  withoutLogprobs: SelectionParts['withoutLogprobs'],
  cascade: FurtherSignalOptions,
): readonly ReplyLacks[] | undefined {
  const { n } = body;
  const several = dialect === 'openai' && typeof n === 'number' && n > 1;
  if (images || audio || several) return undefined;
  const lacks: ReplyLacks[number][] = notAskedFor(cascade);
  if (mayCallTools(body)) lacks.push('text');
  return models.map((model) =>
    givesLogprobs(model, dialect) && !withoutLogprobs.has(model.name) ? lacks : [...lacks, 'logprobs'],
  );
}

/** The signals that take further calls, if the configuration asks for none. */
function notAskedFor({ samples, verifier }: FurtherSignalOptions): ('agreement' | 'verifier')[] {
  return [
    ...(samples === undefined ? (['agreement'] as const) : []),
    ...(verifier === undefined ? (['verifier'] as const) : []),
  ];
}

async function decide(
  { body, dialect }: UnroutedCall,
  options: RouteOptions,
  { rungs, excluded }: AllowedRungs,
  router: Router,
  replyMayLack: readonly ReplyLacks[] | undefined,
): Promise<RoutedForCheck> {
  const messages = requestMessages(body, dialect);
  const among = excluded.length === 0 ? options : { ...options, allowedRungs: rungs };
  if (replyMayLack === undefined) return { decision: await router.route({ messages }, among), checks: [] };
  return router.routeForCheck({ messages }, replyMayLack, among);
}
