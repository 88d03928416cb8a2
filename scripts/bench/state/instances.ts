import { type Row, spread } from '../measurement.ts';
import { type StateBenchContext, TARGETS } from './context.ts';
import { type InstancesOutcome, killedInstances } from './killed-instances.ts';

/** Two instances on one PostgreSQL and one Redis while one of them is killed and PostgreSQL crashes. */
export async function instances(
  context: Pick<StateBenchContext, 'texts' | 'requests' | 'say'>,
): Promise<readonly Row[]> {
  return rowsOf(await killedInstances(context));
}

function rowsOf(outcome: InstancesOutcome): Row[] {
  const { requests, attempts, provider, ledger, atWorkAtKill, turns, revoked } = outcome;
  const usd = (nano: number) => `$${(nano / 1e9).toFixed(6)}`;
  const row = (name: string, what: string, wrong: number, notes: readonly string[]): Row => ({
    name: `instances-${name}`,
    what,
    unit: 'requests',
    value: spread([wrong]),
    samples: requests,
    peer: null,
    ratio: null,
    target: TARGETS.none,
    notes,
  });
  const unsettled = provider.replies - ledger.entries;
  const lost = outcome.missing + Math.max(0, unsettled - atWorkAtKill) + Math.max(0, -unsettled);
  return [
    row(
      'lost',
      'settled and not in the ledger, or there with another key, model or cost',
      lost + outcome.wrongSums,
      [
        `${requests} requests, ${attempts} sent, in ${Math.round(outcome.seconds)} s; the provider sent ${provider.replies} replies for ${usd(provider.nanoUsd)}, the ledger has ${ledger.entries} for ${usd(ledger.nanoUsd)}`,
        `${unsettled} replies of the provider are not in the ledger; ${atWorkAtKill} requests were at work on the instance when it was killed`,
        `${outcome.unlogged} replies are not in the decision log`,
      ],
    ),
    row('crossed', 'replies, or parts of them, to another request', outcome.crossed, []),
    row('unanswered', 'without a reply, also from the other instance', outcome.unanswered, []),
    row(
      'keys',
      'taken with a key that was revoked, or whose budget was spent, at either instance',
      revoked.taken + outcome.takenBeyondBudget,
      [`the revoked key was dead on both after ${revoked.seconds.toFixed(2)} s`],
    ),
    row('pins', 'turns that changed the model when they went on at the other instance', turns.moved, [
      `of ${turns.count} turns`,
    ]),
  ];
}
