import { decisionEvidence } from '../../evals/gate/decision-evidence.ts';
import {
  type Condition,
  type DecisionsVerdict,
  decisionsVerdictSchema,
  sealedVerdict,
  type Verdict,
  type VerdictContent,
  verdictSchema,
  worstOf,
} from '../../router/artifact/index.ts';
import { type Evidence, evidenceSchema } from '../../router/verdict-report/index.ts';
import { evidence, ladderEvidence } from './made-up-evidence.ts';

export const HOSTILE = '<script>alert(1)</script>|`--> "&\u001b[31m';

const SEALED: VerdictContent['sealed'] = {
  n: 2747,
  sha256: 'b'.repeat(64),
  labelled: 2716,
  sampling: 'requests',
  units: 2747,
  batches: [2747],
  unknown_losses: 12,
  excluded: { duplicates: 1204, rejected: 0, seen: 0, seen_group: 0 },
  files: [
    { file: 'mmlu_pro.jsonl.gz', sha256: 'e'.repeat(64), rows: 11_873 },
    { file: 'everyday-english.jsonl', sha256: 'f'.repeat(64), rows: 351 },
  ],
};

export const LOOK: VerdictContent['looks']['earlier'][number] = {
  artifact: 'starter-old',
  policy: { name: 'default', version: 2 },
  suite_sha256: 'c'.repeat(64),
  look: 1,
  n: 2747,
  artifact_sha256: '9'.repeat(64),
  threshold: 0.08,
  suite: 'everyday',
  issued: '2026-10-02T08:00:00.000Z',
  verdict: 'FAIL',
};

const LOOKS: VerdictContent['looks'] = {
  number: 1,
  delta: 0.03,
  confidence: 0.95,
  record: '8'.repeat(64),
  head: '8'.repeat(64),
  earlier: [],
};

const CONDITIONS: readonly Condition[] = [
  condition('quality-loss', 'PASS', 0.0144, [0.0097, 0.0193], { max: 0.02 }),
  described('escalation-rate', 'PASS', 0.683, [0.668, 0.6977], { min: 0.01, max: 0.99 }),
  described('beats-random', 'PASS', 0.037, [0.0241, null], { min: 0 }),
  condition('silent-downgrades', 'PASS', 0.0331, [0.0275, 0.0394], { max: 0.05 }),
  {
    ...condition('slice/law', 'INCONCLUSIVE', 0.0327, [0.0051, 0.0644], { max: 0.05 }, 214),
    further_cases: 1180,
    note: 'the slice has few cases',
  },
  condition('hard-cases/recall', 'PASS', 0.9375, [null, null], { min: 0.9 }, 80),
  {
    ...described('hard-cases/kept-cheap', 'PASS', 0.8125, [null, null], { min: 0.7 }, 80),
    proof: 'other-cases',
  },
  described('flip-rate/politeness', 'PASS', 0.0659, [null, null], { max: 0.08 }),
  described('calibration/strong', 'INCONCLUSIVE', null, [null, null], { max: 0.05 }, 0),
];

/** A whole verdict, INCONCLUSIVE for one slice; through both schemas, so that a fixture cannot drift from the contract. */
export function madeUpVerdict(
  changes: Partial<VerdictContent> = {},
  evidenceChanges: Partial<Evidence> = {},
): Verdict {
  const conditions = changes.conditions ?? [...CONDITIONS];
  const content: VerdictContent = {
    schema_version: 2,
    verdict: worstOf(conditions.map(({ verdict }) => verdict)),
    issued: '2026-11-21T10:30:00.000Z',
    valid_for_days: 90,
    artifact: { name: 'starter', sha256: 'a'.repeat(64) },
    policy: { name: 'default', version: 3, threshold: 0.1234567 },
    suite: { name: 'everyday', sha256: 'c'.repeat(64) },
    walk: { from: -0.05, to: 0.999, steps: 173, stopped_by: 'quality-loss' },
    sealed: SEALED,
    looks: LOOKS,
    conditions,
    evidence: evidenceSchema.parse({ ...evidence, ...evidenceChanges }),
    tools: { plimsoll: '0.2.0', node: 'v20.20.2' },
    ...changes,
  };
  return verdictSchema.parse(sealedVerdict(content));
}

/** All PASS. */
export function passingVerdict(): Verdict {
  return madeUpVerdict({ conditions: CONDITIONS.filter(({ verdict }) => verdict === 'PASS') });
}

/** One clear FAIL, and four earlier looks at the sealed cases. */
export function failingVerdict(): Verdict {
  const failed = condition('quality-loss', 'FAIL', 0.0388, [0.0301, 0.0471], { max: 0.02 });
  return madeUpVerdict({
    conditions: [failed, ...CONDITIONS.slice(1)],
    looks: { ...LOOKS, number: 5, delta: 0.0012, earlier: [LOOK, LOOK, LOOK, LOOK] },
  });
}

/** An earlier one: more loss, a slice that was not yet asked for, one that is no longer, other sealed cases. */
export function previousVerdict(): Verdict {
  const old = [
    condition('quality-loss', 'FAIL', 0.0244, [0.0203, 0.0291], { max: 0.02 }),
    ...CONDITIONS.filter(({ name }) => !['quality-loss', 'slice/law'].includes(name)),
    condition('slice/poems', 'PASS', 0.001, [null, 0.0188], { max: 0.05 }, 90),
  ];
  return madeUpVerdict(
    { conditions: old, sealed: { ...SEALED, sha256: '1'.repeat(64) } },
    { quality_loss: 0.0244, apgr: 0.601, cpt80: null },
  );
}

/** Three rungs, costs unknown, no slices, no hard cases, no flips: nulls wherever there can be one. */
export function ladderVerdict(): Verdict {
  return madeUpVerdict({ artifact: { name: 'ladder', sha256: '5'.repeat(64) } }, ladderEvidence);
}

/** Of decisions that were made elsewhere, with an attack for each name that comes from outside. */
export function decisionsVerdict(): DecisionsVerdict {
  const {
    artifact: _,
    policy: _policy,
    walk: _walk,
    valid_for_days: _term,
    sha256: _hash,
    ...rest
  } = hostileVerdict();
  const { candidates, baselines } = evidenceSchema.parse(rest.evidence);
  const decided = decisionEvidence(evidenceSchema.parse(evidence), CONDITIONS);
  const content = {
    ...rest,
    evidence: { ...decided, candidates, baselines },
    decisions: {
      file: HOSTILE,
      form: 'litellm' as const,
      rows: 2747,
      file_sha256: '3'.repeat(64),
      sha256: 'd'.repeat(64),
      ladder: [HOSTILE, 'large'],
    },
  };
  return decisionsVerdictSchema.parse(sealedVerdict(content));
}

/** Every name and id that comes from outside is an attack. */
export function hostileVerdict(): Verdict {
  const named = <Row extends object>(rows: readonly Row[], key: keyof Row): Row[] =>
    rows.map((row, i) => ({ ...row, [key]: `${HOSTILE} ${i}` }));
  return madeUpVerdict(
    {
      artifact: { name: HOSTILE, sha256: 'a'.repeat(64) },
      policy: { name: HOSTILE, version: 3, threshold: 0 },
      suite: { name: HOSTILE, sha256: 'c'.repeat(64) },
      conditions: [
        ...named(CONDITIONS, 'name'),
        { ...CONDITIONS[0]!, verdict: 'FAIL', note: HOSTILE, method: HOSTILE },
      ],
      sealed: {
        ...SEALED,
        files: [{ ...SEALED.files[0]!, file: HOSTILE }],
      },
      walk: { from: -0.05, to: 0.999, steps: 173, stopped_by: HOSTILE },
      looks: { ...LOOKS, number: 2, earlier: [{ ...LOOK, artifact: HOSTILE, suite: HOSTILE }] },
      tools: { [HOSTILE]: HOSTILE },
    },
    {
      conclusion: HOSTILE,
      best_single: HOSTILE,
      candidates: named(evidence.candidates, 'model'),
      baselines: named(evidence.baselines, 'name'),
      curves: named(evidence.curves, 'name'),
      heads: named(evidence.heads, 'candidate'),
      slices: named(evidence.slices, 'name'),
      flips: named(evidence.flips, 'edit'),
      hard_cases: { ...evidence.hard_cases!, slices: named(evidence.hard_cases!.slices, 'slice') },
      silent_downgrades: {
        ...evidence.silent_downgrades,
        worst: named(evidence.silent_downgrades.worst, 'id'),
      },
    },
  );
}

function condition(
  name: string,
  verdict: Condition['verdict'],
  value: number | null,
  [lower, upper]: readonly [number | null, number | null],
  limits: Condition['limits'],
  n = 2747,
): Condition {
  const bounds = { lower, upper };
  return { name, verdict, value, bounds, limits, confidence: 0.97, method: 'betting', n, proof: 'walk' };
}

function described(...[name, ...rest]: Parameters<typeof condition>): Condition {
  return { ...condition(name, ...rest), confidence: 0.95, proof: 'none' };
}
