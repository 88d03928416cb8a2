import type { Limiter } from '../access/index.ts';
import { HUMAN, isHuman, nanoUsd } from '../catalog/index.ts';
import { PlimsollError, safeError } from '../errors.ts';
import type { PaidTask } from '../people/index.ts';
import type { Activity } from '../records/index.ts';
import { type Log, PEOPLE_WORK } from '../state/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { ConfiguringRouter, GatewaySettings } from './gateway-settings.ts';
import { profileParts, rungsOf } from './selection.ts';

interface Books {
  readonly metrics: Pick<Metrics, 'personReplied'>;
  readonly activity: Pick<Activity, 'paid'>;
  /** Undefined if nothing is limited. */
  readonly limiter: Pick<Limiter, 'charge'> | undefined;
  readonly log: Pick<Log, 'append'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Books the work on a task: in the ledger, in the metrics, in the sums by hour, and in the log. If a client waited, its request is counted
 * with the cost of its reply, so that here the ledger alone gets it.
 */
export async function bookPeople(
  { task, outcome, minutes, costUsd, atMs }: PaidTask,
  books: Books,
): Promise<void> {
  const { id, people, keyId, team, tags, profile, decisionId, mode, createdMs } = task;
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
  if (!isCounted) books.activity.paid(model, costUsd);
  const cost = nanoUsd(costUsd);
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
  const record = {
    task: id,
    decision_id: decisionId,
    model,
    outcome,
    by: task.reply?.by ?? task.claim?.by ?? null,
    minutes,
    cost_nano_usd: cost,
    waited_ms: waitedMs,
  };
  await books.log
    .append(PEOPLE_WORK, [{ id, timeMs: atMs, keyId, body: JSON.stringify(record) }])
    .catch((error) => books.logger.warn(safeError(error), 'the work of people could not be recorded'));
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
