import path from 'node:path';
import { z } from 'zod';
import { sha256OfJson } from '../../router/artifact/index.ts';
import { priceSchema, sessionsSchema } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { LABEL_SOURCES } from '../../router/types.ts';
import { firstFault } from '../../router/unknown-field.ts';
import { readYaml, YamlFault, type YamlFile } from '../../router/yaml-file.ts';
import { fileError } from '../case-files/index.ts';
import { type HardCase, loadHardCases, loadParaphrases, type Paraphrase } from '../cases/index.ts';

const HARMLESS_EDITS = ['case', 'white-space', 'politeness', 'punctuation'] as const;
export type HarmlessEdit = (typeof HARMLESS_EDITS)[number];

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore');
const share = z.number().min(0).max(1);
const margin = z
  .number()
  .gt(0, 'must be above 0: a loss of exactly 0 cannot be certified from any number of cases')
  .max(1);
const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const where = z
  .strictObject({
    task: oneOrMore.optional(),
    source: oneOrMore.optional(),
    language: oneOrMore.optional(),
    min_characters: z.int().min(0).optional(),
    max_characters: z.int().min(1).optional(),
    multi_turn: z.boolean().optional(),
    tools: z.boolean().optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'name at least one property, such as task: maths')
  .describe(
    'What the cases of the slice have in common: all of it must hold. Characters are of the routed text.',
  );

const slice = z.strictObject({ name, where, max_quality_loss: margin });

const hardCases = z
  .strictObject({
    file: z.string().min(1).default('hard-cases.jsonl').describe('JSON Lines, relative to the suite.'),
    min_recall: share.describe('Least share of the cases of tier strong that must be escalated.'),
    min_kept_cheap: share
      .optional()
      .describe(
        'Least share of the cases of tier cheap that must stay cheap: it catches a policy that escalates everything.',
      ),
  })
  .describe('Cases whose tier is known: what must be escalated is.');

const flipRate = z
  .strictObject({
    max: share.describe('Largest share of decisions that an edit may move to a cheaper candidate.'),
    edits: z.array(z.enum(HARMLESS_EDITS)).default([...HARMLESS_EDITS]),
    paraphrases: z.string().min(1).optional().describe('Pairs as JSON Lines, relative to the suite.'),
    max_paraphrase: share
      .optional()
      .describe('Largest share of pairs that may be decided differently; `max` if it is left out.'),
  })
  .describe('Decisions must not depend on what does not change the request.');

/** A suite: what is demanded of a policy. Strict: a misspelled limit would demand nothing. */
export const suiteSchema = z
  .strictObject({
    schema_version: z
      .literal(2, {
        error:
          'this version of Plimsoll reads 2, and 1. Write schema_version: 2, or update Plimsoll if the suite is of a later one',
      })
      .default(2)
      .describe(
        'Of the suite; one without it is read as version 2, and says so if it has fields of version 1.',
      ),
    name,
    description: z.string().optional(),
    cases: z
      .array(z.string().min(1))
      .default([])
      .describe('Files of labelled cases, relative to the suite; --data replaces them.'),
    tier_cases: z
      .array(z.string().min(1))
      .default([])
      .describe('Files of prompts with a tier: cheap, or strong if the cheap candidate is assumed to fail.'),
    quality_field: z.string().min(1).default('quality').describe('Of an outcome: holds its quality, 0..1.'),
    accept_labels: z
      .array(z.enum(LABEL_SOURCES))
      .min(1)
      .optional()
      .describe(
        'Sources of labels that count: human, grader, judge, feedback, unknown. Left out: all but judge and feedback.',
      ),
    max_quality_loss: margin.describe('The margin: largest mean of q(strong) - q(routed).'),
    confidence: z
      .number()
      .min(0.5)
      .lt(1, 'must be below 1: certainty takes infinitely many cases')
      .default(0.95)
      .describe('Of the whole promise, over all looks at the same cases.'),
    looks: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'Looks at the same cases that are planned: each gets an equal part of 1 - confidence, and further ones none. Left out, the k-th look gets 6 / (pi k)^2 of it.',
      ),
    sampling: z
      .enum(['requests', 'groups'])
      .default('requests')
      .describe(
        'What was drawn independently: requests, or whole groups of them (conversations, users) by the field `group`.',
      ),
    largest_group: z
      .int()
      .min(1)
      .max(10_000)
      .default(10)
      .describe(
        'The most cases that one draw may have: a group of `sampling: groups`, or the requests that share one label. The smaller, the tighter the bound.',
      ),
    largest_weight: z
      .number()
      .gt(0)
      .max(1e6)
      .optional()
      .describe(
        'The largest weight that a case can have: 1 / the smallest probability with which a request could be drawn to be labelled, known from how they are drawn. Left out, all cases must have the same weight.',
      ),
    predict_tasks: z
      .boolean()
      .optional()
      .describe(
        'Cases without a task get the one that the task classifier predicts from their text, for slices and reports. Left out: they have none.',
      ),
    sessions: z
      .strictObject({
        settings: sessionsSchema
          .prefault({})
          .describe(
            "`sessions` of the server's configuration, by which the cases of a session are replayed.",
          ),
        prices: z
          .record(z.string(), priceSchema)
          .default({})
          .describe(
            'Candidate -> its price in US dollars for a million tokens; stickiness: priced needs each.',
          ),
      })
      .optional()
      .describe(
        'Sessions are replayed whole, as a server with these settings decides them, and each is one draw with its mean loss. Left out: requests by themselves.',
      ),
    escalation_rate: z
      .strictObject({ min: share, max: share })
      .refine(({ min, max }) => min < max, 'min must be below max')
      .default({ min: 0.01, max: 0.99 })
      .describe(
        'The band: outside it the router has collapsed to one candidate, or costs too much. Of two candidates both limits are of the share that is escalated; of more, min is of the share above the cheapest and max of the share on the strongest.',
      ),
    beats_random: z
      .boolean()
      .default(true)
      .describe(
        'Better than escalating the same share at random; of more than two candidates with known costs, better than the best mix of them at the same cost.',
      ),
    silent_downgrades: z
      .strictObject({ margin: share.default(0.5), max_rate: share })
      .optional()
      .describe('Cases whose routed reply is worse than the strong one by more than the margin.'),
    max_ece: share.optional().describe('Largest expected calibration error of any head.'),
    slices: z.array(slice).default([]),
    hard_cases: hardCases.optional(),
    flip_rate: flipRate.optional(),
    valid_for_days: z.int().min(1).max(36_500).default(90).describe('How long a PASS counts.'),
  })
  .refine(({ slices }) => new Set(slices.map((one) => one.name)).size === slices.length, {
    message: 'two slices have one name',
    path: ['slices'],
  })
  .describe('Suite of the gate: what is demanded of a routing policy');

export type Suite = Readonly<z.infer<typeof suiteSchema>>;
export type SliceRule = Suite['slices'][number];

/** A suite as it was read. */
export interface LoadedSuite {
  readonly suite: Suite;
  readonly file: string;
  /**
   * Hash of what the suite says, defaults included, without its comments; and of what its hard cases and paraphrases ask, but for their order
   * and white space: who edits them after a FAIL has another suite.
   */
  readonly sha256: string;
  /** Read once, when they or the hash are first asked for. @throws PlimsollError as loadHardCases */
  readonly hardCases: readonly HardCase[] | undefined;
  /** @throws PlimsollError as loadParaphrases */
  readonly paraphrases: readonly Paraphrase[] | undefined;
  /** What is no longer read, a line each. */
  readonly notes: readonly string[];
  /** A file that the suite names, from the suite's own place. */
  resolve(file: string): string;
}

/** @throws PlimsollError `not-found` or `io`: the file; `invalid-config`: not YAML, empty, an unknown key or a value out of range, with the line */
export function loadSuite(file: string): LoadedSuite {
  const yaml = suiteYaml(file);
  const raw = yaml.value;
  if (raw === null) {
    throw suiteError(
      file,
      undefined,
      undefined,
      'it is empty: it demands nothing. Give at least name and max_quality_loss',
    );
  }
  const { fields, notes } = withoutVersion1(raw, file);
  const parsed = suiteSchema.safeParse(fields);
  if (!parsed.success) {
    const { path: place, message } = firstFault(suiteSchema, parsed.error.issues);
    throw suiteError(file, yaml.lineOf(place), place.join('.') || '(top level)', message);
  }
  const suite = Object.freeze(parsed.data);
  const folder = path.dirname(path.resolve(file));
  const resolve = (name: string) => path.resolve(folder, name);
  const { hard_cases: hard, flip_rate: flips } = suite;
  const hardCases = once(() => hard && loadHardCases(resolve(hard.file)));
  const paraphrases = once(() =>
    flips?.paraphrases === undefined ? undefined : loadParaphrases(resolve(flips.paraphrases)),
  );
  const hash = once(() => hashSuite(suite, hardCases(), paraphrases()));
  return {
    suite,
    file,
    get sha256() {
      return hash();
    },
    get hardCases() {
      return hardCases();
    },
    get paraphrases() {
      return paraphrases();
    },
    notes,
    resolve,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function hashSuite(
  suite: Suite,
  hardCases: readonly HardCase[] | undefined,
  paraphrases: readonly Paraphrase[] | undefined,
): string {
  if (hardCases === undefined && paraphrases === undefined) return sha256OfJson(suite);
  return sha256OfJson({
    suite,
    hard_cases: hardCases === undefined ? null : hashHardCases(hardCases),
    paraphrases:
      paraphrases === undefined
        ? null
        : sha256OfJson(paraphrases.map(({ a, b }) => JSON.stringify([a, b])).sort()),
  });
}

/** sha256 over ids, texts, tiers and the replies that are known, in any order. Slice, language and reason decide nothing. */
export function hashHardCases(cases: readonly HardCase[]): string {
  const lines = cases.map(({ id, text, tier, replies }) =>
    JSON.stringify([id, text, tier, replies === undefined ? [] : [...replies]]),
  );
  return sha256OfJson(lines.sort());
}

/** A suite of version 1 says in which order cases are taken. That order follows from the cases now: a seed could be tried until one passes. */
function withoutVersion1(raw: unknown, file: string): { fields: unknown; notes: readonly string[] } {
  if (typeof raw !== 'object' || raw === null) return { fields: raw, notes: [] };
  if ('schema_version' in raw && raw.schema_version === 1) {
    const { schema_version: _, ...rest } = raw;
    const { fields, notes } = withoutVersion1(rest, file);
    const note = `${file}: a suite of schema_version 1 is read as version 2: the gate finds the threshold itself (docs/CI.md). Write schema_version: 2.`;
    return { fields, notes: [note, ...notes] };
  }
  if (!('seed' in raw)) return { fields: raw, notes: [] };
  const { seed: _, ...fields } = raw;
  const note = `${file}: "seed" has no effect since schema_version 2: the cases are taken in an order that follows from the cases themselves. Remove the line.`;
  return { fields, notes: [note] };
}

function suiteYaml(file: string): YamlFile {
  try {
    return readYaml(file);
  } catch (cause) {
    throw cause instanceof YamlFault
      ? suiteError(file, cause.line, undefined, cause.message)
      : fileError(file, cause);
  }
}

function suiteError(
  file: string,
  line: number | undefined,
  field: string | undefined,
  reason: string,
): PlimsollError {
  const where = [
    file,
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(field === undefined ? [] : [`field "${field}"`]),
  ];
  return new PlimsollError(
    'invalid-config',
    `The suite ${where.join(', ')}: ${reason}${reason.endsWith('?') ? '' : '.'}`,
    {
      place: { file, ...(line !== undefined && { line }), ...(field !== undefined && { field }) },
    },
  );
}
