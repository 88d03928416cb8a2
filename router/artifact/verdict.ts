import path from 'node:path';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../errors.ts';
import { readBounded, replaceFile } from '../files/index.ts';
import { isObject, parseJson } from '../json/index.ts';
import { artifactJson } from './manifest.ts';
import { sessionSettingsSchema } from './session-settings.ts';
import { sha256OfJson } from './sha256.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const count = z.int().min(0);

/** From best to worst. */
export const VERDICTS = ['PASS', 'INCONCLUSIVE', 'FAIL'] as const;
export type VerdictWord = (typeof VERDICTS)[number];
const verdictWord = z.enum(VERDICTS);

/** Forms of files of decisions: `plimsoll` is a row of id, key or prompt, and model. */
export const DECISION_FORMS = ['plimsoll', 'routerarena', 'litellm', 'openrouter'] as const;

/** One demand of the suite on the policy, and its outcome. What is undefined is null, never 0. */
export const conditionSchema = z.strictObject({
  /** Such as `quality-loss`, `slice/law`, `flip-rate/case`. */
  name: z.string().min(1),
  verdict: verdictWord,
  value: z.number().nullable(),
  /** The finite-sample bounds that the verdict rests on, each at `confidence`. */
  bounds: z.strictObject({ lower: z.number().nullable(), upper: z.number().nullable() }),
  limits: z.strictObject({ min: z.number().optional(), max: z.number().optional() }),
  /** Confidence of each bound, after multiplicity control. */
  confidence: z.number().min(0).max(1),
  method: z.string().min(1),
  /** Labelled cases that were counted. */
  n: count,
  /**
   * What the bounds prove: `walk` is tested at every step of the walk, so that it holds with the confidence of the verdict; `other-cases`
   * is judged once, on cases that the walk did not use; `none` is judged once on the cases that chose the threshold, and describes them.
   * Left out in verdicts of version 1.
   */
  proof: z.enum(['walk', 'other-cases', 'none']).optional(),
  /** Further cases that would probably decide an INCONCLUSIVE. */
  further_cases: count.optional(),
  /**
   * If a judge gave some of the labels: how many cases it labelled, and how many of them people labelled too. `bounds.upper` is the sum of `judged_upper`, of what
   * the judge says, and `error_upper`, of people - judge, each at half of the error; `people_upper` is the bound by the labels of people alone. Without labels of
   * people the verdict is true only as far as the judge is right: `error_upper` is null.
   */
  judged: z
    .strictObject({
      judged: count,
      people: count,
      judged_upper: z.number().nullable(),
      error_upper: z.number().nullable(),
      people_upper: z.number().nullable(),
    })
    .optional(),
  note: z.string().optional(),
});

/** An earlier look at the same sealed cases, in verdicts of version 1 and in the record's lines of that time. */
export const lookSchema = z.strictObject({
  artifact: z.string().min(1),
  artifact_sha256: sha256,
  threshold: z.number().min(-1).max(1),
  suite: z.string().min(1),
  issued: z.iso.datetime(),
  verdict: verdictWord,
});

/** An earlier look at some of the sealed cases. What its line does not say is null. */
const earlierLookSchema = z.strictObject({
  artifact: z.string().min(1),
  artifact_sha256: sha256,
  policy: z.strictObject({ name: z.string().min(1), version: z.int().positive() }).nullable(),
  suite: z.string().min(1),
  suite_sha256: sha256.nullable(),
  look: z.int().positive().nullable(),
  issued: z.iso.datetime(),
  n: count.nullable(),
  /** Null if the gate was stopped, or no threshold holds. */
  threshold: z.number().min(-1).max(1).nullable(),
  /** Null if the gate was stopped. */
  verdict: verdictWord.nullable(),
});

/** What every verdict says. */
const judged = {
  /** The worst of the conditions. */
  verdict: verdictWord,
  issued: z.iso.datetime(),
  suite: z.strictObject({ name: z.string().min(1), sha256 }),
  conditions: z.array(conditionSchema).min(1),
  /** What the reports draw: baselines, curve, slices, bins. `router/verdict-report` has its schema. */
  evidence: z.record(z.string(), z.unknown()),
  tools: z.record(z.string(), z.string()),
};

/** What verdicts of both versions say about an artifact. */
const ofArtifact = {
  ...judged,
  valid_for_days: z.int().positive(),
  /** sha256 of manifest.json, which binds every other file. */
  artifact: z.strictObject({ name: z.string().min(1), sha256 }),
  /** The threshold is the one that serves: in version 2 the gate finds it, in version 1 it is the manifest's. */
  policy: z.strictObject({
    name: z.string().min(1),
    version: z.int().positive(),
    threshold: z.number().min(-1).max(1),
  }),
};

const files = z.array(z.strictObject({ file: z.string(), sha256, rows: count }));

const version1Schema = z.strictObject({
  schema_version: z.literal(1),
  ...ofArtifact,
  sealed: z.strictObject({
    n: count,
    sha256,
    excluded: z.strictObject({
      missing_outcome: count,
      duplicates: count,
      rejected: count,
      seen: count.optional(),
      seen_group: count.optional(),
    }),
    files,
    earlier_looks: z.array(lookSchema),
  }),
});

/** The cases that were judged, and the looks at them. */
const onSealedCases = {
  sealed: z.strictObject({
    /** Cases, those without labels included. */
    n: count,
    /** Cases with the outcome of every candidate. */
    labelled: count,
    /** Over ids and keys. */
    sha256,
    sampling: z.enum(['requests', 'groups']),
    /** Independent draws: cases, or groups of them. */
    units: count,
    /** Sizes, in units, of the batches in which the cases arrived. */
    batches: z.array(z.int().positive()),
    /** If labels were drawn only where a score may stay cheap: below which limit, from how many requests, and what share of them that is. */
    below_limit: z
      .strictObject({
        limit: z.number().min(-1).max(1),
        pool: count,
        share: z.number().min(0).max(1),
        plan_sha256: sha256,
      })
      .optional(),
    /** Cases that differ from what the artifact has learned from only in numbers within the text. Left out if there are none. */
    alike: count.optional(),
    /** Cases that the policy keeps cheap, and whose loss is unknown: each counts as a loss of 1. */
    unknown_losses: count,
    excluded: z.strictObject({
      duplicates: count,
      rejected: count,
      /** Cases whose question was seen in training or calibration. */
      seen: count,
      /** Cases that were not, but whose text differs from one that was only in case, white space, punctuation and numbers at either end. Left out in verdicts from before it was counted. */
      seen_copies: count.optional(),
      /** Unseen cases that a group ties to a seen question. */
      seen_group: count,
    }),
    /**
     * If cases stand for different numbers of requests: the smallest and the largest weight, the largest that there may be, and how many cases are left where each
     * is kept in proportion to its weight: on these is measured what is described. Left out if all weigh the same.
     */
    weights: z
      .strictObject({
        from: z.number().gt(0),
        to: z.number().gt(0),
        largest: z.number().gt(0),
        described: count,
      })
      .optional(),
    /**
     * If sessions were replayed whole: how many of them have several requests, how many requests these are, how many of those went to another rung than by themselves,
     * and the settings of sessions that decided. Units are sessions then, and a mean loss is a mean over sessions of their mean losses.
     */
    sessions: z
      .strictObject({ several: count, requests: count, moved: count, settings: sessionSettingsSchema })
      .optional(),
    /** Cases that a judge labelled, and those of them that people labelled too. Left out if no judge gave a label that counts. */
    labels: z.strictObject({ judged: count, people: count }).optional(),
    /** Cases without a task, which got a predicted one, and the sha256 of the model that predicted it. Left out if none did. */
    predicted_tasks: z.strictObject({ cases: count, model_sha256: sha256 }).optional(),
    /** How qualities are written, such as 0-100, in files that do not write them from 0 to 1. */
    quality_scale: z.string().optional(),
    files,
  }),
  looks: z.strictObject({
    /** This is the k-th look at these cases, or at some of them. */
    number: z.int().positive(),
    /** 1 - confidence that this look may spend. */
    delta: z.number().gt(0).lt(1),
    /** Confidence of the whole promise, over all looks at these cases, as the suite asks. Left out in older verdicts. */
    confidence: z.number().gt(0).lt(1).optional(),
    /** Hash of this look's line in the record of looks, which has the hash of the line before; null if the look is not on record. */
    record: sha256.nullable(),
    /**
     * Hash of the last look's line in the record when this one was taken: its own, or that of a later look if this one was taken again. Null
     * without a record; left out in verdicts from before it was written.
     */
    head: sha256.nullable().optional(),
    earlier: z.array(earlierLookSchema),
  }),
};

const contentSchema = z.strictObject({
  schema_version: z.literal(2),
  ...ofArtifact,
  /** How the threshold was found: strictest first, in steps that were fixed beforehand. */
  walk: z.strictObject({
    from: z.number().min(-1).max(1),
    to: z.number().min(-1).max(1),
    /** Steps that were tested. */
    steps: count,
    /** The condition that did not hold at the next step; null at the end of the walk. */
    stopped_by: z.string().nullable(),
  }),
  ...onSealedCases,
});

/** Which decisions a verdict is of that no artifact made. */
const decisionsSchema = z.strictObject({
  /** Its name, without the folder. */
  file: z.string().min(1),
  /** The form of the file: ours, or that of another program. */
  form: z.enum(DECISION_FORMS),
  rows: count,
  /** Hash of the file's bytes. */
  file_sha256: sha256,
  /** Over the ladder and which case got which model, whatever the order of the rows. */
  sha256,
  /** Models, cheapest first. */
  ladder: z.array(z.string().min(1)).min(2),
});

/**
 * What the gate said about decisions that were made elsewhere. It names no artifact, no policy and no threshold, and it has no term: so nothing
 * can take it for a verdict by which something serves.
 */
const decisionsContentSchema = z.strictObject({
  schema_version: z.literal(2),
  ...judged,
  decisions: decisionsSchema,
  ...onSealedCases,
});

/** `verdict.json`: what the gate said about an artifact, bound to it by hash and to itself by `sha256`. */
export const verdictSchema = contentSchema.extend({ sha256 });

/** A verdict on decisions, bound to itself by `sha256`. */
export const decisionsVerdictSchema = decisionsContentSchema.extend({ sha256 });

/** As verdicts were before the gate chose the threshold: they count until they expire. */
const earlierVerdictSchema = version1Schema.extend({ sha256 });

export type Condition = z.infer<typeof conditionSchema>;
export type EarlierLook = z.infer<typeof earlierLookSchema>;
export type VerdictContent = z.infer<typeof contentSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
export type DecisionsVerdictContent = z.infer<typeof decisionsContentSchema>;
export type DecisionsVerdict = z.infer<typeof decisionsVerdictSchema>;
/** What the gate may say: of an artifact, or of decisions that were made elsewhere. */
export type GateVerdict = Verdict | DecisionsVerdict;
/** What an artifact's folder may hold. */
export type StoredVerdict = Verdict | z.infer<typeof earlierVerdictSchema>;

/** The verdict with the hash of its content, by which a later change shows. */
export function sealedVerdict<C extends VerdictContent | DecisionsVerdictContent>(
  content: C,
): C & Pick<Verdict, 'sha256'> {
  return { ...content, sha256: sha256OfJson(content) };
}

/** The worst of several: FAIL before INCONCLUSIVE before PASS. */
export function worstOf(verdicts: readonly VerdictWord[]): VerdictWord {
  return verdicts.reduce<VerdictWord>(
    (worst, one) => (VERDICTS.indexOf(one) > VERDICTS.indexOf(worst) ? one : worst),
    'PASS',
  );
}

/** The confidence of the whole promise, over all looks; undefined in verdicts from before it was written. */
export function promisedConfidence(verdict: StoredVerdict): number | undefined {
  return verdict.schema_version === 2 ? verdict.looks.confidence : undefined;
}

/** Not among the manifest's files: the gate writes it afterwards, and it names the manifest's hash itself. */
export const VERDICT_FILE = 'verdict.json';
/** In bytes: one with many slices and looks has some hundred kB. */
const LARGEST = 4 * 2 ** 20;

/**
 * What the gate said about the artifact in `folder`; undefined if it has not run. Whether that lets it serve says `standingOf`.
 * @throws PlimsollError `invalid-artifact`, naming file and field, if it cannot be read or was edited.
 */
export function readVerdict(folder: string): StoredVerdict | undefined {
  const bytes = readVerdictBytes(folder);
  return bytes && parseVerdict(folder, bytes);
}

/** @throws PlimsollError `invalid-artifact`, naming file and field, if the bytes of the folder's verdict.json are wrong or were edited. */
export function parseVerdict(folder: string, bytes: Uint8Array): StoredVerdict {
  const file = path.join(folder, VERDICT_FILE);
  refuseDecisions(file, bytes);
  const verdict = artifactJson(
    z.discriminatedUnion('schema_version', [verdictSchema, earlierVerdictSchema], {
      error:
        'this version of Plimsoll reads 1 and 2. Update Plimsoll if a later one wrote it, or gate the artifact again',
    }),
    bytes,
    file,
  );
  const { sha256, ...content } = verdict;
  if (sha256OfJson(content) === sha256) return verdict;
  throw new PlimsollError(
    'invalid-artifact',
    `${file} was changed after the gate wrote it: its field "sha256" is not the hash of the rest. Run the gate again.`,
    { place: { file, field: 'sha256' } },
  );
}

/** Its schema would refuse it too, with a field that is missing for a reason. */
function refuseDecisions(file: string, bytes: Uint8Array): void {
  const value = parseJson(new TextDecoder().decode(bytes));
  if (!isObject(value) || !('decisions' in value)) return;
  throw new PlimsollError(
    'invalid-artifact',
    `${file} is a verdict on decisions that were made elsewhere: it is of no artifact, and nothing serves by it. Run the gate on the artifact.`,
    { place: { file, field: 'decisions' } },
  );
}

/** verdict.json as it is in the folder; undefined if it is not there. @throws PlimsollError `invalid-artifact` if it cannot be read. */
export function readVerdictBytes(folder: string): Uint8Array | undefined {
  const file = path.join(folder, VERDICT_FILE);
  try {
    return readBounded(file, { mostBytes: LARGEST, code: 'invalid-artifact', remedy: 'Run the gate again.' });
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    const code = systemErrorCode(cause);
    if (code === 'ENOENT') return undefined;
    throw new PlimsollError('invalid-artifact', `${file} cannot be read (${code}). It must be a file.`, {
      place: { file },
      cause,
    });
  }
}

/**
 * Puts the verdict into the artifact's folder, in the place of an older one: whole or not at all.
 * @throws PlimsollError `io` if the folder cannot be written.
 */
export function writeVerdict(folder: string, verdict: Verdict): void {
  replaceFile(path.join(folder, VERDICT_FILE), `${JSON.stringify(verdict, null, 2)}\n`, {
    what: 'the verdict',
  });
}
