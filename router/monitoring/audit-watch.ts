import { z } from 'zod';
import { eProcess } from '../statistics/index.ts';

/** The stream of the state that audits are in. */
export const AUDITS = 'audits';

/** A request that stayed cheap and was also asked of the strongest model, both replies graded. */
export const auditSchema = z.object({
  schema_version: z.literal(1),
  decision_id: z.string(),
  /** sha256 of the artifact that decided. */
  artifact: z.string(),
  /** Predicted loss of the prompt. */
  predicted_loss: z.number().min(-1).max(1),
  /** Quality of the strongest model's reply minus that of the reply that went out. */
  loss: z.number().min(-1).max(1),
});

export type Audit = z.infer<typeof auditSchema>;

/** What the gate promised of an artifact's policy. */
export interface Promised {
  /** sha256 of the artifact. */
  readonly artifact: string;
  /** Quality that all requests together lose at most. */
  readonly margin: number;
  /** Share of the requests that stay below the strongest candidate. */
  readonly keptShare: number;
  /** The threshold that was judged. */
  readonly threshold: number;
  /** The threshold is for replies, so that a prompt's predicted loss does not say what would be kept now. */
  readonly isCascade?: boolean;
}

export const CONTRADICTION_ACTIONS = ['warn', 'tighten', 'strong'] as const;

export interface AuditOptions {
  readonly confidence: number;
  /** What follows when audits contradict the promise. */
  readonly onContradiction: (typeof CONTRADICTION_ACTIONS)[number];
  /** By how much `tighten` lowers the threshold each time. */
  readonly tightenBy: number;
}

export interface AuditStatus {
  /** Audits that count: of this artifact, within the threshold in force when they were counted. */
  readonly n: number;
  /** Mean loss of a request that stays cheap, above which the promise does not hold. */
  readonly limit: number;
  /** Since the last contradiction; undefined before the first audit. */
  readonly meanLoss: number | undefined;
  /** Natural logarithm of the evidence against the promise, since the last contradiction. */
  readonly logEvidence: number;
  /** How often the evidence passed 1 / (1 - confidence). */
  readonly contradictions: number;
  /** The threshold in force; undefined if everything goes to the strongest candidate. */
  readonly threshold: number | undefined;
}

export interface AuditWatch {
  /** In the order in which they were recorded: the same audits give the same status on every instance. @returns whether the promise was contradicted by this one */
  observe(audit: Audit): boolean;
  isContradicted(): boolean;
  /** The one in force; undefined if everything goes to the strongest candidate. */
  threshold(): number | undefined;
  status(): AuditStatus;
}

/**
 * Watches the promise of the gate on audited requests: those that stay cheap lose at most margin / keptShare on average, so that all
 * together lose at most the margin. While that holds, the probability of ever contradicting it is at most 1 - confidence, however often one looks
 * (`eProcess`). Audits must be drawn at random from the requests that stay cheap.
 */
export function createAuditWatch(promised: Promised, options: AuditOptions): AuditWatch {
  const { confidence, onContradiction, tightenBy } = options;
  const limit = Math.min(promised.margin / promised.keptShare, LARGEST_LIMIT);
  let process = eProcess(limit);
  let threshold: number | undefined = promised.threshold;
  let n = 0;
  let contradictions = 0;
  const since = { n: 0, total: 0 };

  return {
    observe({ artifact, predicted_loss: predictedLoss, loss }) {
      if (artifact !== promised.artifact || threshold === undefined) return false;
      if (!promised.isCascade && predictedLoss > threshold) return false;
      process.observe(loss);
      n++;
      since.n++;
      since.total += loss;
      if (process.pValue() > 1 - confidence) return false;
      if (onContradiction === 'warn' && contradictions > 0) return false;
      contradictions++;
      if (onContradiction === 'tighten') {
        const lower = threshold - tightenBy;
        threshold = lower < -1 ? undefined : lower;
        process = eProcess(limit);
        since.n = 0;
        since.total = 0;
      }
      if (onContradiction === 'strong') threshold = undefined;
      return true;
    },
    isContradicted: () => contradictions > 0,
    threshold: () => threshold,
    status: () => ({
      n,
      limit,
      meanLoss: since.n === 0 ? undefined : since.total / since.n,
      logEvidence: process.logValue(),
      contradictions,
      threshold,
    }),
  };
}

/** Losses are at most 1: no audit could speak against a higher limit. */
const LARGEST_LIMIT = 0.99;
