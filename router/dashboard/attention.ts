import { type LimitStanding, limitStandings } from '../access/index.ts';
import type { Standing } from '../artifact/index.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import { day, percent, relative } from './format.ts';
import type { HomeFigures } from './home-figures.ts';

/** Something that somebody should look at. */
export interface Notice {
  /** `fault`: it costs quality, money or requests now. `warning`: it soon may. */
  readonly kind: 'fault' | 'warning';
  readonly text: string;
  /** The page that says more. */
  readonly link?: { readonly href: string; readonly text: string };
}

const EXPIRY_WARNING_MS = 7 * 86_400_000;
/** The used share of a limit's window from which it is worth a warning. */
const NEARLY_FULL = 0.8;
/** Share of the requests that fail without its being worth a word. */
const USUAL_FAILURES = 0.02;

const VERDICTS = { href: '/dashboard/verdicts', text: 'Verdicts' };
const PROVIDERS = { href: '/dashboard/providers', text: 'Providers' };
const BUDGETS = { href: '/dashboard/budgets', text: 'Budgets' };
const WATCH = { href: '/dashboard/watch', text: 'Watch' };

/** What needs attention, faults first. @param figures of the period on show; undefined if nothing is counted */
export async function notices(
  parts: DashboardParts,
  figures: HomeFigures | undefined,
  nowMs: number,
): Promise<Notice[]> {
  const { router, gateway } = parts;
  const own = standingNotices(router.standing(), nowMs);
  const ofProfiles = [...router.profiles].flatMap(([name, profile]) =>
    standingNotices(profile.standing(), nowMs)
      .filter(({ text }) => !own.some((one) => one.text === text)) // most profiles share the artifact
      .map((one) => ({ ...one, text: `Profile ${name}: ${one.text}` })),
  );
  const found = [
    ...own,
    ...ofProfiles,
    ...(router.watch?.troubles() ?? []).map((text): Notice => ({ kind: 'warning', text, link: WATCH })), // what audits contradict is a fault by its standing
    ...routerNotices(parts),
    ...(gateway?.health().troubles ?? []).map((text): Notice => ({ kind: 'fault', text, link: PROVIDERS })),
    ...breakerNotices(parts),
    ...failureNotices(figures),
    ...(await standingsOf(parts, nowMs).catch(() => [])).flatMap((one) => limitNotices(one, nowMs)),
  ];
  return [...found.filter(({ kind }) => kind === 'fault'), ...found.filter(({ kind }) => kind !== 'fault')];
}

/**
 * The windows of all limits; empty if nothing is limited.
 * @throws PlimsollError `state-unavailable` if the ledger cannot be reached
 */
export async function standingsOf(
  { gateway, config }: Pick<DashboardParts, 'gateway' | 'config'>,
  nowMs: number,
): Promise<LimitStanding[]> {
  if (gateway?.ledger === undefined) return [];
  return limitStandings(config().limits, await gateway.ledger.windows(nowMs), nowMs);
}

function standingNotices(standing: Standing, nowMs: number): Notice[] {
  const link = VERDICTS;
  if (standing.kind === 'none') {
    return [{ kind: 'fault', text: `No proof that quality holds. ${standing.why}`, link }];
  }
  if (standing.kind === 'expired' || standing.kind === 'contradicted') {
    return [{ kind: 'fault', text: standing.why, link }];
  }
  if (standing.kind === 'stale') {
    return [
      {
        kind: 'warning',
        text: 'The router learned from other models than it serves, so its proof is not about these. Train it on your own labels.',
        link,
      },
    ];
  }
  const untilMs = Date.parse(standing.expires);
  if (untilMs - nowMs > EXPIRY_WARNING_MS) return [];
  return [
    {
      kind: 'warning',
      text: `The proof expires ${relative(untilMs, nowMs)}. Run the gate again before.`,
      link,
    },
  ];
}

function routerNotices({ router }: DashboardParts): Notice[] {
  const { classifierFailures, decisions, lastReload } = router.health();
  const failed = classifierFailures > 0;
  return [
    ...(failed
      ? [
          {
            kind: 'fault',
            text: `The classifier failed on ${classifierFailures} of ${decisions} requests since the start; these went to the strongest model.`,
          } as const,
        ]
      : []),
    ...(lastReload !== null && !lastReload.ok
      ? [
          {
            kind: 'fault',
            text: `The last reload failed, and what served before serves on: ${lastReload.message}`,
          } as const,
        ]
      : []),
  ];
}

function breakerNotices({ gateway }: DashboardParts): Notice[] {
  const failing = [...(gateway?.breakerStates() ?? [])].filter(([, state]) => state !== 'closed');
  return failing.map(([model, state]) => ({
    kind: 'fault',
    text:
      state === 'open'
        ? `${model} fails, and is not called for now.`
        : `${model} failed, and is tried again with one request at a time.`,
    link: PROVIDERS,
  }));
}

function failureNotices(figures: HomeFigures | undefined): Notice[] {
  const failed = figures?.outcomes.failed ?? 0;
  if (figures === undefined || failed <= USUAL_FAILURES * figures.requests) return [];
  const share = percent(failed / figures.requests);
  return [
    {
      kind: 'fault',
      text: `${share} of the requests failed: no model replied, or the reply broke off.`,
      link: PROVIDERS,
    },
  ];
}

function limitNotices(
  { scope, window, cap, settled, reserved, endMs }: LimitStanding,
  nowMs: number,
): Notice[] {
  if (cap === undefined || cap === 0 || settled + reserved < NEARLY_FULL * cap) return [];
  const share = (settled + reserved) / cap;
  const whose = scope === 'all' ? 'all requests' : scope;
  return [
    {
      kind: share >= 1 ? 'fault' : 'warning',
      text: `The limit of ${whose} (${window}) is ${percent(share, 0)} used; it begins anew ${relative(endMs, nowMs)}, on ${day(new Date(endMs).toISOString())}.`,
      link: BUDGETS,
    },
  ];
}
