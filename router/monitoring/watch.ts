import { z } from 'zod';
import type { Manifest, Standing, StoredVerdict } from '../artifact/index.ts';
import type { FeatureExtractor } from '../classifier/index.ts';
import {
  type Audit,
  type AuditOptions,
  type AuditStatus,
  type AuditWatch,
  createAuditWatch,
  type Promised,
} from './audit-watch.ts';
import { createDriftWatch, type DriftStatus, type DriftWatch } from './drift-watch.ts';
import { featureNames, featureValues, populationSchema, type ScoredRequest } from './population.ts';
import { type CertifiedShares, createShareWatch, type ShareStatus, type ShareWatch } from './share-watch.ts';

/** What the operator should look at. */
export interface WatchAlarm {
  readonly kind: 'drift' | 'escalation' | 'collapse' | 'contradicted' | 'model-changed' | 'rolled-back';
  readonly artifact: string;
  /** For a person; holds no prompt text. */
  readonly message: string;
}

/** What is undefined is not watched: the verdict does not say what it was certified on. */
export interface WatchStatus {
  readonly drift: DriftStatus | undefined;
  readonly shares: ShareStatus | undefined;
  readonly audits: AuditStatus | undefined;
}

/** A request that was decided. */
export interface ObservedRequest extends ScoredRequest {
  /** The routed text; undefined if nobody wrote any. */
  readonly text: string | undefined;
  /** Where the artifact's own policy sent it, among all rungs and at its own threshold; undefined if it did not choose so. */
  readonly rung: number | undefined;
}

/** Compares what one artifact serves with what the gate certified. */
export interface Watch {
  /** Called for each request. */
  observe(request: ObservedRequest): void;
  /** Audits of other artifacts are left out. */
  observeAudit(audit: Audit): void;
  /** Why the PASS does not hold any more; undefined as long as no audits speak against it. */
  contradiction(): string | undefined;
  /** The threshold that the audits leave in force: as gated, lower, or undefined for none at all. */
  threshold(): number | undefined;
  /** The messages of the alarms so far: drift, shares, audits. */
  troubles(): string[];
  status(): WatchStatus;
}

interface Watched {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly verdict: StoredVerdict | undefined;
  readonly standing: Standing;
  readonly extractor: FeatureExtractor;
}

/** Watches drift if the verdict says what requests it is of, and audits if it is a PASS. @param onAlarm called once for each alarm */
export function openWatch(
  watched: Watched,
  options: AuditOptions,
  onAlarm: (alarm: WatchAlarm) => void,
): Watch {
  const { manifest, extractor } = watched;
  const evidence = evidenceSchema.safeParse(watched.verdict?.evidence).data;
  const names = featureNames(manifest.features);
  const population = evidence?.population;
  const drift = population && createDriftWatch(population, names, options.confidence);
  const promised = evidence && promiseOf(watched, evidence);
  const audits = promised && createAuditWatch(promised, options);
  const certified = evidence && certifiedShares(watched, evidence);
  const shares = certified && createShareWatch(certified, options.confidence);
  let driftAlarm: string | undefined;

  function report(kind: WatchAlarm['kind'], message: string): void {
    onAlarm({ kind, artifact: manifest.name, message });
  }

  function contradiction(): string | undefined {
    return audits?.isContradicted() ? contradictionOf(manifest.name, audits, options) : undefined;
  }

  function shareTrouble(): string | undefined {
    if (shares?.status().fault === undefined) return undefined;
    return shareMessage(manifest, shares, certified!);
  }

  return {
    observe({ text, rung, ...scored }) {
      // After a contradiction the threshold is another one, and so are the shares.
      if (
        shares !== undefined &&
        rung !== undefined &&
        contradiction() === undefined &&
        shares.observe(rung)
      ) {
        report(shares.status().fault!.kind, shareMessage(manifest, shares, certified!));
      }
      if (drift === undefined || text === undefined) return;
      drift.observe(featureValues(scored, extractor.extract(text)));
      if (driftAlarm !== undefined || !drift.isAlarmed()) return;
      driftAlarm = driftMessage(manifest.name, drift);
      report('drift', driftAlarm);
    },
    observeAudit(audit) {
      if (audits?.observe(audit)) report('contradicted', contradictionOf(manifest.name, audits, options));
    },
    contradiction,
    threshold: () => (audits === undefined ? manifest.policy.threshold : audits.threshold()),
    troubles: () => [driftAlarm, shareTrouble(), contradiction()].filter((one) => one !== undefined),
    status: () => ({ drift: drift?.status(), shares: shares?.status(), audits: audits?.status() }),
  };
}

/** The part of a verdict's evidence that the watch needs; earlier versions have no population. */
const evidenceSchema = z.object({
  rungs: z.array(z.object({ share: z.number() })).min(2),
  population: populationSchema.optional().catch(undefined), // one that cannot be read stops no audits
});

/** Undefined without a PASS, without a promised margin, or if nothing stays cheap. */
function promiseOf(
  { manifest, verdict, standing, sha256 }: Watched,
  { rungs }: z.infer<typeof evidenceSchema>,
): Promised | undefined {
  const margin = verdict?.conditions.find(({ name }) => name === 'quality-loss')?.limits.max;
  const keptShare = 1 - rungs.at(-1)!.share;
  if (standing.kind === 'none' || margin === undefined || margin <= 0 || keptShare <= 0) return undefined;
  const isCascade = manifest.cascade !== undefined;
  return { artifact: sha256, margin, keptShare, threshold: standing.threshold, isCascade };
}

/**
 * Undefined if the verdict does not say how requests are shared: it is of labels for a part of them, or of a cascade, where replies decide.
 */
function certifiedShares(
  { manifest, verdict, standing }: Watched,
  { rungs }: z.infer<typeof evidenceSchema>,
): CertifiedShares | undefined {
  if (standing.kind === 'none' || manifest.cascade !== undefined) return undefined;
  const limitsOf = (name: string) => verdict?.conditions.find((condition) => condition.name === name)?.limits;
  const whole = limitsOf('escalation-rate');
  return {
    rungs: rungs.map(({ share }) => share),
    least: (whole ?? limitsOf('escalation-rate/above-cheapest'))?.min,
    most: (whole ?? limitsOf('escalation-rate/strongest'))?.max,
  };
}

function shareMessage({ name, ladder }: Manifest, watch: ShareWatch, { rungs }: CertifiedShares): string {
  const { fault, shares, n } = watch.status();
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  if (fault?.kind === 'escalation') {
    const [rate, bound] =
      fault.end === 'most'
        ? [`${percent(shares.at(-1)!)} went to the strongest candidate`, `at most ${percent(fault.limit)}`]
        : [`${percent(1 - shares[0]!)} were escalated`, `at least ${percent(fault.limit)}`];
    return `Of ${n} requests ${rate}, and the suite of the PASS of ${name} allows ${bound}. Label some of today's requests and gate it again.`;
  }
  const rung = fault?.rung ?? 0;
  return `The router has collapsed: of ${n} requests ${percent(shares[rung]!)} went to rung ${rung} (${ladder[rung]!.candidate}), and ${percent(rungs[rung]!)} when ${name} was certified. Look at what is sent, then label some of today's requests and gate it again.`;
}

/** Below it, by the usual rule of thumb, a feature has not shifted. */
const SLIGHT_PSI = 0.1;

function driftMessage(name: string, drift: DriftWatch): string {
  const { n: seen, features } = drift.status();
  const moved = features.slice(0, 3).map((feature) => `${feature.name} (PSI ${feature.psi.toFixed(2)})`);
  const what =
    (features[0]?.psi ?? 0) < SLIGHT_PSI
      ? `none of their features moved much by itself (most: ${moved[0]})`
      : `${moved.join(', ')} moved the most`;
  return `Requests are no longer like those that ${name} was certified on, after ${seen} requests: ${what}. Label some of today's and gate it again.`;
}

const WHAT_FOLLOWS = {
  warn: 'It serves on.',
  tighten: 'The threshold was lowered.',
  strong: 'Everything goes to the strongest candidate.',
};

function contradictionOf(name: string, audits: AuditWatch, { onContradiction }: AuditOptions): string {
  const { n, limit } = audits.status();
  return `${n} audited requests contradict the PASS of ${name}: those that stay cheap lose more than ${limit.toFixed(3)} on average. ${WHAT_FOLLOWS[onContradiction]} Label some of today's requests, train and gate again.`;
}
