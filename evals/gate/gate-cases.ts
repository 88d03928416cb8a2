import { readFileSync } from 'node:fs';
import { type Rung, sha256 } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import type { LabelSource } from '../../router/types.ts';
import { shownName } from '../case-files/index.ts';
import {
  type Case,
  dataNotes,
  givenOutcomes,
  givenSentence,
  type LoadedCases,
  type LoadedFile,
  type LoadOptions,
  labelledModels,
  loadCases,
  loadTierCases,
  requireLadderOrder,
  withGivenOutcomes,
} from '../cases/index.ts';
import { type TaskedCases, withPredictedTasks } from './predicted-tasks.ts';
import type { LoadedSuite, Suite } from './suite.ts';

export interface GateCases {
  readonly cases: readonly Case[];
  readonly files: readonly LoadedFile[];
  readonly excluded: LoadedCases['excluded'];
  readonly rejected: number;
  /** Those of the cases that got a predicted task. Left out if none did. */
  readonly predictedTasks?: TaskedCases['predicted'];
  /** What a person should know about the data, a line each. */
  readonly notes: readonly string[];
  /** Names in the data that were not read. */
  readonly unread: readonly string[];
}

/** How the files are written, whether the models' replies are needed, and who is notified of the progress. */
export type GateReading = Pick<
  LoadOptions,
  'qualityScale' | 'columns' | 'keepReplies' | 'onSurvey' | 'onProgress'
>;

const NOTHING: GateCases = {
  cases: [],
  files: [],
  excluded: { missingOutcome: 0, duplicates: 0 },
  rejected: 0,
  notes: [],
  unread: [],
};

/**
 * The cases that a suite names, or those of `data` in their place, those without labels included: a case that is escalated loses nothing,
 * whether or not anybody labelled it, and of one that is kept cheap the worst is assumed.
 * @throws PlimsollError `insufficient-data` if no file is named, or no case is left; as requireGroups
 */
export async function loadGateCases(
  { suite, file, resolve }: LoadedSuite,
  ladder: readonly Rung[],
  data: readonly string[] | undefined,
  reading: GateReading = {},
): Promise<GateCases> {
  const files = data ?? suite.cases.map(resolve);
  if (files.length === 0 && suite.tier_cases.length === 0) {
    throw new PlimsollError(
      'insufficient-data',
      `The suite ${file} names no cases. Name files under "cases", or give them by --data.`,
      { place: { file, field: 'cases' } },
    );
  }
  const labelled =
    files.length === 0 ? NOTHING : await loadLabelledCases(files, ladder, suite.quality_field, reading);
  const tiered = suite.tier_cases.map(resolve).map((name) => tierCases(name, ladder));
  const read = [...labelled.cases, ...tiered.flatMap(({ cases }) => cases)];
  const { cases, predicted } = await withPredictedTasks(read, suite);
  return {
    ...labelled,
    cases,
    ...(predicted && { predictedTasks: predicted }),
    files: [...labelled.files, ...tiered.map(({ loaded }) => loaded)],
    notes: [
      ...labelled.notes,
      ...requireAcceptedLabels(suite, labelled.cases, ladder),
      ...requireGroups(suite, cases, labelled.unread),
      ...(predicted
        ? [`predict_tasks: ${predicted.cases} of ${cases.length} cases have no task and got a predicted one.`]
        : []),
    ],
  };
}

/** A judge may be wrong, and who gives feedback is no random sample: a suite must say that it takes them. */
const ACCEPTED: readonly LabelSource[] = ['human', 'grader', 'unknown'];

/**
 * The labels of the candidates come from where the suite takes them.
 * @returns a note if labels of a judge count
 * @throws PlimsollError `invalid-input` if some come from elsewhere
 */
function requireAcceptedLabels(suite: Suite, cases: readonly Case[], ladder: readonly Rung[]): string[] {
  const accepted: readonly LabelSource[] = suite.accept_labels ?? ACCEPTED;
  const counts = new Map<LabelSource, number>();
  for (const { outcomes } of cases) {
    const sources = ladder.flatMap(({ model }): LabelSource[] => {
      const outcome = outcomes.get(model);
      return outcome === undefined ? [] : [outcome.labelSource ?? 'unknown'];
    });
    for (const source of new Set(sources)) counts.set(source, (counts.get(source) ?? 0) + 1);
  }
  for (const [source, count] of counts) {
    if (accepted.includes(source)) continue;
    throw new PlimsollError(
      'invalid-input',
      `${count} of ${cases.length} cases have labels of the source "${source}", and the suite takes ${accepted.join(', ')}. Leave them out, or name the source in accept_labels; docs/LABELLING.md says what a promise on labels of a judge is worth.`,
      { place: { field: 'accept_labels' } },
    );
  }
  const judged = counts.get('judge') ?? 0;
  if (judged === 0) return [];
  const people = cases.filter((one) => isAudited(one, ladder)).length;
  if (people === 0) {
    const alone = counts.get('human') ?? 0;
    const lost = ` ${alone} have labels of people without those of the judge beside them (judged_quality), which correct nothing: \`plimsoll review read\` keeps both.`;
    return [
      `${judged} of ${cases.length} cases were labelled by a judge: the verdict is about what the judge thinks. docs/LABELLING.md says what makes it a promise about what people think.${alone === 0 ? '' : lost}`,
    ];
  }
  return [
    `${judged} of ${cases.length} cases have labels of a judge alone, and ${people} also those of people: the promise is about what people think, with the judge's mistakes added to the bound.`,
  ];
}

/** People labelled it after a judge did, and no label that counts is the judge's. */
function isAudited({ outcomes }: Case, ladder: readonly Rung[]): boolean {
  const ofLadder = ladder.flatMap(({ model }) => outcomes.get(model) ?? []);
  return (
    ofLadder.some(({ judgedQuality }) => judgedQuality !== undefined) &&
    ofLadder.every(({ labelSource }) => labelSource !== 'judge')
  );
}

/** Names of columns that may say which rows were drawn together. */
const LIKE_A_GROUP = /conversation|session|thread|chat|dialog|user|customer|client|account|person/i;

/**
 * Where whole groups are the draws, rows must say which group they belong to: rows without a group are a group each, as if all had been drawn
 * independently.
 * @param unread names in the data that were not read
 * @returns a note of how many rows have no group
 * @throws PlimsollError `invalid-input` if none has one
 */
export function requireGroups(
  { sampling }: Pick<Suite, 'sampling'>,
  cases: readonly Pick<Case, 'group'>[],
  unread: readonly string[],
): string[] {
  if (sampling !== 'groups') return [];
  const lone = cases.filter(({ group }) => group === undefined).length;
  if (lone === 0) return [];
  if (lone < cases.length) {
    return [
      `sampling: groups: ${lone} of ${cases.length} cases have no group. Each of them counts as a group of one, but for copies of one text or key.`,
    ];
  }
  const like = unread.find((name) => LIKE_A_GROUP.test(name));
  const hint =
    like === undefined
      ? ''
      : ` Is it ${shownName(like)}, which is not read? Then give --map group=${shownName(like)}.`;
  throw new PlimsollError(
    'invalid-input',
    `The suite says sampling: groups, and no case has a group: each would count as drawn by itself.${hint} Name in the field "group" what was drawn as a whole, such as the conversation or the user, or leave sampling out.`,
    { place: { field: 'group' } },
  );
}

async function loadLabelledCases(
  files: readonly string[],
  ladder: readonly Rung[],
  qualityField: string,
  reading: GateReading,
): Promise<GateCases> {
  const models = ladder.map(({ model }) => model);
  const given = givenOutcomes(ladder);
  const read = await loadCases(files, {
    ...reading,
    models: labelledModels(models, given),
    qualityField,
    keepUnlabelled: true,
    keepWeights: true,
    maxRejectShare: 0, // rows that fall out would not count as lost, and which ones do is no accident
  });
  const loaded = { ...read, cases: withGivenOutcomes(read.cases, given) };
  const { cases, excluded, rejectedCount, unread } = loaded;
  requireLadderOrder(cases, models);
  const word = givenSentence(given);
  const notes = [...dataNotes(loaded, models), ...(word === undefined ? [] : [`WARNING: ${word}.`])];
  return { cases, files: loaded.files, excluded, rejected: rejectedCount, notes, unread };
}

function tierCases(file: string, ladder: readonly Rung[]): { cases: Case[]; loaded: LoadedFile } {
  const [cheap, strong] = [ladder[0]!.model, ladder[ladder.length - 1]!.model];
  if (ladder.length !== 2) {
    throw new PlimsollError(
      'invalid-input',
      `${file}: cases with a tier say nothing of the middle rungs; the artifact has ${ladder.length} candidates. Leave "tier_cases" out.`,
      { place: { file } },
    );
  }
  const cases = loadTierCases(file, { cheap, strong });
  return { cases, loaded: { file, sha256: sha256(readFileSync(file)), rows: cases.length } };
}
