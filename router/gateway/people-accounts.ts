import type { Limiter } from '../access/index.ts';
import { HUMAN, isHuman, nanoUsd } from '../catalog/index.ts';
import { PlimsollError, safeError } from '../errors.ts';
import { type EndedTask, plainReply, workRecord } from '../people/index.ts';
import { type Activity, baselineCostUsd, randomCostUsd } from '../records/index.ts';
import { type Log, PEOPLE_WORK } from '../state/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { ConfiguringRouter, GatewaySettings } from './gateway-settings.ts';
import { profileParts, rungsOf } from './selection.ts';

interface Books {
  readonly metrics: Pick<Metrics, 'personReplied'>;
  readonly activity: Pick<Activity, 'peopleEnded'>;
  /** Undefined if nothing is limited. */
  readonly limiter: Pick<Limiter, 'charge'> | undefined;
  readonly log: Pick<Log, 'append'>;
  readonly logger: Pick<Logger, 'warn'>;
  /** People, and the candidates of a profile now, cheapest first, with the shares of the choices so far. */
  readonly rungsWith: (people: string, profile: string | undefined) => Parameters<typeof randomCostUsd>[0];
}

/**
 * Books what a task came to: in the ledger, in the metrics, in the sums by hour, and in the log, where readers of the decision log find it. If a client
 * waited for the reply, its request is counted with it, so that here ledger and log alone get it.
 */
export async function bookPeople(ended: EndedTask, books: Books): Promise<void> {
  const { task, outcome, minutes, costUsd, atMs } = ended;
  const { id, people, keyId, team, tags, profile, mode, createdMs } = task;
  const model = `${HUMAN}/${people}`;
  const isCounted = mode === 'wait' && outcome === 'answered';
  const waitedMs = atMs - createdMs;
  books.metrics.personReplied({
    model,
    outcome,
    waitedMs,
    minutes,
    costUsd: isCounted ? undefined : costUsd,
  });
  if (!isCounted) books.activity.peopleEnded({ ...ended, model, compared: comparedCosts(ended, books) });
  const cost = nanoUsd(costUsd);
  if (cost > 0) {
    const subject = {
      key: keyId === undefined ? [] : [keyId],
      team: team === undefined ? [] : [team],
      tag: tags,
      profile: profile === undefined ? [] : [profile],
      model: [model],
      provider: [HUMAN],
      deployment: [],
      experiment: [],
    };
    const entry = { id, keyId: keyId ?? '', model, nanoUsd: cost, inputTokens: 0, outputTokens: 0 };
    void books.limiter?.charge(subject, entry, [{ model, provider: HUMAN, nanoUsd: cost, tokens: 0 }]);
  }
  await books.log
    .append(PEOPLE_WORK, [{ id, timeMs: atMs, keyId, body: JSON.stringify(workRecord(ended)) }])
    .catch((error) => books.logger.warn(safeError(error), 'the work of people could not be recorded'));
}

/** What others would have cost, if the reply of people is the one that the client polls for; undefined: there is nothing to compare. */
function comparedCosts({ task, outcome }: EndedTask, { rungsWith }: Books) {
  if (outcome !== 'answered' || task.mode !== 'poll' || task.isRouted !== true) return undefined;
  const { usage } = plainReply(task);
  const all = rungsWith(`${HUMAN}/${task.people}`, task.profile);
  const strongUsd = baselineCostUsd(all.at(-1)?.price, usage);
  const randomUsd = randomCostUsd(all, usage);
  return strongUsd === undefined || randomUsd === undefined ? undefined : { strongUsd, randomUsd };
}

/** @throws PlimsollError `invalid-config` if there is no state for people, or a cascade would hand what it judged to them */
export function checkPeople({ people }: GatewaySettings, router: ConfiguringRouter, hasState: boolean): void {
  if (Object.keys(people).length > 0 && !hasState) {
    throw new PlimsollError(
      'invalid-config',
      'people needs a state, and this server was started without one. Restart it.',
      { place: { field: 'people' } },
    );
  }
  for (const profile of [undefined, ...router.profiles.keys()]) {
    const rungs = rungsOf(profile, router);
    const { canJudge } = profileParts(router, profile) ?? router;
    const isCascade = rungs.some((_, rung) => canJudge(rung, []) !== undefined);
    const person = rungs.find(({ model }) => isHuman(model));
    if (!isCascade || person === undefined) continue;
    const field = profile === undefined ? 'ladder' : `profiles.${profile}.ladder`;
    throw new PlimsollError(
      'invalid-config',
      `${field}.${person.candidate}: the artifact judges replies, and ${person.model} is people, who are chosen before any model is called. Use an artifact without a cascade.`,
      { place: { field: `${field}.${person.candidate}` } },
    );
  }
}
