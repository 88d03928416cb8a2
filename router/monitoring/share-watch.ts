import { type EProcess, eProcess, meanOfLogs } from '../statistics/index.ts';

/** How requests were shared among the rungs when the gate certified them. */
export interface CertifiedShares {
  /** Shares of the rungs, cheapest first; 0..1. */
  readonly rungs: readonly number[];
  /** The suite's band: least share above the cheapest rung, and largest on the strongest. Undefined: the suite has none. */
  readonly least: number | undefined;
  readonly most: number | undefined;
}

/** What a share speaks against. */
export type ShareFault =
  | { readonly kind: 'escalation'; readonly end: 'least' | 'most'; readonly limit: number }
  /** Nearly everything goes to one rung. */
  | { readonly kind: 'collapse'; readonly rung: number };

/** How requests are shared among the rungs now. */
export interface ShareStatus {
  /** Requests that the policy sent where it chose, among all rungs. */
  readonly n: number;
  /** For each rung, cheapest first; empty before the first request. */
  readonly shares: readonly number[];
  /** Natural logarithm of the evidence against the certified shares. */
  readonly logEvidence: number;
  /** What the evidence speaks against, once it has passed 1 / (1 - confidence); a rate outside of its band may become a collapse. */
  readonly fault: ShareFault | undefined;
}

export interface ShareWatch {
  /** @param rung 0 the cheapest @returns whether this request raised an alarm: the first, or that it is a collapse */
  observe(rung: number): boolean;
  status(): ShareStatus;
}

interface Claim {
  readonly fault: ShareFault;
  /** What is at most `limit` on average as long as the claim holds. */
  readonly counts: (rung: number) => number;
  readonly process: EProcess;
}

/**
 * Watches how requests are shared among the rungs: whether the escalation rate leaves the band of the suite, and whether one rung gets nearly
 * everything (collapse: more than halfway between 1 and what was certified, or the band allows). While all of these claims hold, the probability of ever raising the alarm is at
 * most 1 - confidence: the evidence is the mean of their e-processes.
 */
export function createShareWatch(certified: CertifiedShares, confidence: number): ShareWatch {
  const strongest = certified.rungs.length - 1;
  const claims = claimsOf(certified, strongest);
  const limit = -Math.log(1 - confidence);
  const counts = certified.rungs.map(() => 0);
  let n = 0;
  let fault: ShareFault | undefined;
  const logEvidence = () =>
    claims.length === 0 ? 0 : meanOfLogs(claims.map(({ process }) => process.logValue()));

  return {
    observe(rung) {
      n++;
      counts[rung]!++;
      for (const claim of claims) claim.process.observe(claim.counts(rung));
      if (fault?.kind === 'collapse' || (fault === undefined && logEvidence() < limit)) return false;
      const found = strongestClaim(claims, limit + Math.log(claims.length));
      if (fault !== undefined && found.kind !== 'collapse') return false;
      fault = found;
      return true;
    },
    status: () => ({
      n,
      shares: n === 0 ? [] : counts.map((count) => count / n),
      logEvidence: logEvidence(),
      fault,
    }),
  };
}

/** A collapse, if the evidence of that alone is enough, else what the evidence speaks against the most. */
function strongestClaim(claims: readonly Claim[], enough: number): ShareFault {
  const inOrder = [...claims].sort((a, b) => b.process.logValue() - a.process.logValue());
  const collapse = inOrder.find(
    ({ fault, process }) => fault.kind === 'collapse' && process.logValue() >= enough,
  );
  return (collapse ?? inOrder[0]!).fault;
}

function claimsOf({ rungs, least, most }: CertifiedShares, strongest: number): Claim[] {
  const claims: Claim[] = [];
  const add = (fault: ShareFault, limit: number, counts: Claim['counts']) => {
    if (limit <= 0 || limit >= 1) return; // nothing could speak against it
    claims.push({ fault, counts, process: eProcess(limit, { low: 0, high: 1 }) });
  };
  if (most !== undefined) {
    add({ kind: 'escalation', end: 'most', limit: most }, most, (rung) => Number(rung === strongest));
  }
  if (least !== undefined) {
    add({ kind: 'escalation', end: 'least', limit: least }, 1 - least, (rung) => Number(rung === 0));
  }
  for (const [rung, share] of rungs.entries()) {
    const allowed = rung === strongest ? (most ?? 0) : rung === 0 ? 1 - (least ?? 1) : 0;
    const limit = (1 + Math.max(share, allowed)) / 2;
    add({ kind: 'collapse', rung }, limit, (chosen) => Number(chosen === rung));
  }
  return claims;
}
