import { z } from 'zod';
import { PlimsollError } from '../../router/errors.ts';
import { personTexts, routedText } from '../../router/prompt/index.ts';
import type { Message, Outcome, Reply } from '../../router/types.ts';
import { BadRow, parseRow } from '../case-files/index.ts';
import { checkedModels, DEFAULT_QUALITY_FIELD, parseOutcome, parseUnlabelledReply } from './outcome.ts';
import { questionKey } from './question-key.ts';
import { type SessionTurn, sessionTurnOf } from './session-turn.ts';

/** One labelled prompt: the quality that each candidate model reached on it. */
export interface Case {
  readonly id: string;
  /** The routed text (router/prompt): training and serving score the same text. */
  readonly text: string;
  /** Hash of the normalised question. Cases with the same key are the same question; splits never separate them. */
  readonly key: string;
  /** Cases of one group, such as the turns of one conversation, stay on one side of a split too. */
  readonly group?: string;
  /** Names the labelled reply that the outcomes rest on. Cases of one label share it: one label was copied to many requests. */
  readonly label?: string;
  /** sha256 of the plan that drew the request to be labelled, if one did: it is no draw from all requests. */
  readonly labelPlan?: string;
  /** Chosen to be learned from: it is no draw from all requests either. */
  readonly isForTraining?: boolean;
  readonly task?: string;
  /** The task was predicted from the text: the row has none. */
  readonly isTaskPredicted?: boolean;
  readonly source?: string;
  /** The request's language, ISO 639 such as en, if the row has one. */
  readonly language?: string;
  /** The number of the person's messages in the request, if there is more than one. */
  readonly turns?: number;
  /** The request offered tools. */
  readonly tools?: boolean;
  /** How many requests of the traffic it stands for, above 0: 1 / the probability with which it was drawn. Left out if that is not read, or each stands for one. */
  readonly weight?: number;
  /** Its place in its session; left out if the row names none. */
  readonly sessionTurn?: SessionTurn;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What is known about replies that nobody labelled, by model; left out if there are none, or nobody asked for them. */
  readonly unlabelledReplies?: ReadonlyMap<string, Reply>;
}

/** What is known about a model's reply, whether or not it is labelled; undefined if that is nothing. */
export function replyOf({ outcomes, unlabelledReplies }: Case, model: string): Reply | undefined {
  return outcomes.get(model)?.reply ?? unlabelledReplies?.get(model);
}

const optionalName = z
  .union([z.string().min(1), z.number()], { error: 'must be a name or a number' })
  .nullish();
/** A number above 0; of tables it is text. */
const positive = (most: number, error: string) =>
  z.unknown().transform((value, context) => {
    if (value == null) return undefined;
    const number = typeof value === 'string' ? Number(value.trim() || Number.NaN) : value;
    if (typeof number === 'number' && number > 0 && number <= most) return number;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
const weight = positive(
  Number.MAX_VALUE,
  'must be a finite number above 0: how many requests the row stands for. Leave out rows that stand for none',
);
const samplingProbability = positive(
  1,
  'must be above 0 and at most 1: the probability with which the request was drawn',
);

/** One message of a conversation. Other fields and unknown kinds of content are allowed; routedText decides what counts. */
const messageSchema = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
});

/**
 * One line of a cases file: a prompt (or messages) and what each model reached on it. Other fields are allowed and ignored.
 * `context` is the earlier turn of the same person, `system` the operator's text, which is never scored.
 */
const caseRowSchema = z.looseObject({
  id: optionalName,
  prompt: z.string().optional(),
  messages: z.array(messageSchema).optional(),
  context: z.string().nullish(),
  system: z.string().nullish(),
  key: z.string().min(1).nullish(),
  group: optionalName,
  label: optionalName,
  session: optionalName,
  turn: z.unknown().optional(),
  time: z.unknown().optional(),
  label_plan: z.string().min(1).nullish(),
  label_pool: z.enum(['training', 'sealed'], { error: 'must be training or sealed' }).nullish(),
  task: z.string().nullish(),
  source: z.string().nullish(),
  language: z.string().nullish(),
  reference: z.unknown().optional(),
  tools: z.union([z.boolean(), z.array(z.unknown())]).nullish(),
  weight: weight.optional(),
  sampling_probability: samplingProbability.optional(),
  outcomes: z.record(z.string(), z.looseObject({})),
});

/** A row as it is written to a file of cases. */
export type CaseRow = z.input<typeof caseRowSchema>;
/** A row whose fields have the right types. */
export type ParsedRow = z.output<typeof caseRowSchema>;

/** A row that may lack outcomes altogether. */
const unlabelledRowSchema = caseRowSchema.extend({
  outcomes: caseRowSchema.shape.outcomes.nullish().transform((outcomes) => outcomes ?? {}),
});

/**
 * @param outcomesOptional whether `outcomes` may be missing or null, which comes to the same as {}
 * @throws BadRow: a wrong type, neither prompt nor messages, or both
 */
export function parseCaseRow(value: unknown, outcomesOptional = false): ParsedRow {
  const row = parseRow(outcomesOptional ? unlabelledRowSchema : caseRowSchema, value);
  const { prompt, messages, weight, sampling_probability: probability } = row;
  if (weight !== undefined && probability !== undefined) {
    throw new BadRow('both weight and sampling_probability, which is 1 / weight; give one', 'weight');
  }
  if (prompt === undefined && messages === undefined) throw new BadRow('missing or empty', 'prompt');
  if (prompt !== undefined && messages !== undefined) throw new BadRow('both prompt and messages; give one');
  return row;
}

/**
 * The case of a row in the canonical form, with qualities from 0 to 1 in the field `quality`.
 * @param fallbackId the id of a row without one
 * @throws BadRow: loadCases would reject the row
 */
export function parseCase(value: unknown, fallbackId: string): Case {
  const row = parseCaseRow(value);
  const outcomes = new Map<string, Outcome>();
  for (const [model, fields] of Object.entries(row.outcomes)) {
    const place = `outcomes.${model}`;
    if (parseUnlabelledReply(fields, DEFAULT_QUALITY_FIELD, place) !== undefined) continue;
    const outcome = parseOutcome(fields, DEFAULT_QUALITY_FIELD, place);
    if (outcome !== undefined) outcomes.set(model, outcome);
  }
  return buildCase(row, outcomes, fallbackId, { keepWeight: true });
}

interface BuildOptions {
  /** Replies without a label, by model. */
  readonly unlabelledReplies?: ReadonlyMap<string, Reply> | undefined;
  /** Read `weight` and `sampling_probability`. Without it the second is ignored, and the first is refused unless it is 1: who gives it means that it counts. */
  readonly keepWeight?: boolean;
}

/**
 * The case of a row. Its text is the one that the router would score for the same request.
 * @throws BadRow: no text to score, such as an empty prompt
 */
export function buildCase(
  row: ParsedRow,
  outcomes: ReadonlyMap<string, Outcome>,
  fallbackId: string,
  { unlabelledReplies = new Map(), keepWeight = false }: BuildOptions = {},
): Case {
  const messages = requestMessages(row);
  const text = flatCopy(scoredText(row, messages));
  const sessionTurn = sessionTurnOf(row, messages, offersTools(row));
  const group = row.group ?? row.session;
  const turns = messages.filter((message) => personTexts(message).length > 0).length;
  return {
    id: row.id == null ? fallbackId : String(row.id),
    text,
    key: row.key ?? questionKey(text),
    ...(group != null && { group: String(group) }),
    ...(row.label != null && { label: String(row.label) }),
    ...(row.label_plan != null && { labelPlan: row.label_plan }),
    ...(row.label_pool === 'training' && { isForTraining: true }),
    ...(row.task != null && { task: row.task }),
    ...(row.source != null && { source: row.source }),
    ...(row.language != null && { language: row.language }),
    ...(turns > 1 && { turns }),
    ...(offersTools(row) && { tools: true }),
    ...weightOf(row, keepWeight),
    ...(sessionTurn && { sessionTurn }),
    outcomes,
    ...(unlabelledReplies.size > 0 && { unlabelledReplies }),
  };
}

/** How many requests a row says that it stands for; undefined if it does not say. */
export function statedWeight({
  weight,
  sampling_probability: probability,
}: Pick<ParsedRow, 'weight' | 'sampling_probability'>): number | undefined {
  return weight ?? (probability === undefined ? undefined : 1 / probability);
}

/** @throws BadRow: a weight that nobody reads */
function weightOf(row: ParsedRow, isRead: boolean): { weight?: number } {
  if (!isRead && row.weight !== undefined && row.weight !== 1) {
    throw new BadRow(
      'must be 1 or left out here: each row counts once, and the gate alone reads weights. Give each request a row of its own; requests that share one labelled reply have the same "label"',
      'weight',
    );
  }
  if (!isRead) return {};
  const own = statedWeight(row) ?? 1;
  return own === 1 ? {} : { weight: own };
}

/** The tools as the request had them, or just whether there were any. */
function offersTools({ tools }: ParsedRow): boolean {
  return Array.isArray(tools) ? tools.length > 0 : tools === true;
}

function scoredText(row: ParsedRow, messages: readonly Message[]): string {
  try {
    return routedText({ messages });
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    throw new BadRow('empty: no text to score', row.prompt === undefined ? 'messages' : 'prompt');
  }
}

/** The row's request: system text first, then the person's earlier turn, then the prompt. */
export function requestMessages({
  system,
  context,
  prompt,
  messages,
}: Pick<ParsedRow, 'system' | 'context' | 'prompt' | 'messages'>): readonly Message[] {
  return [
    ...(system == null ? [] : [{ role: 'system', content: system }]),
    ...(context == null ? [] : [{ role: 'user', content: context }]),
    ...(prompt === undefined
      ? ((messages ?? []) as readonly Message[])
      : [{ role: 'user', content: prompt }]),
  ];
}

/** A string that owns its memory: a slice of a file's chunk would keep the whole chunk alive. */
function flatCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Whether something is known about each reply that a cascade of these models would judge. @param models cheapest first */
export function hasReplies(one: Case, models: readonly string[]): boolean {
  return checkedModels(models).every((model) => replyOf(one, model) !== undefined);
}

/**
 * A cascade judges the replies of all models but the strongest, and something must be known about them.
 * @param cases loaded with `keepReplies`
 * @throws PlimsollError `insufficient-data` if nothing is known about any, naming the models of whose replies something is
 */
export function requireKnownReplies(cases: readonly Case[], model: string): void {
  if (cases.some((one) => replyOf(one, model) !== undefined)) return;
  const others = new Set(
    cases.flatMap((one) => [...one.outcomes.keys()].filter((other) => replyOf(one, other) !== undefined)),
  );
  const instead =
    others.size === 0 ? '' : ` They do of ${[...others].join(', ')}, which says nothing of ${model}.`;
  throw new PlimsollError(
    'insufficient-data',
    `No case says anything of the replies of ${model}, and a cascade judges them.${instead} Give outcomes.${model} at least one of answer (the text), confidence_logprob and signals.`,
  );
}
