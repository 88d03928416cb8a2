import { readFileSync } from 'node:fs';
import { type Rung, sha256 } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import {
  type Case,
  dataNotes,
  type LoadedCases,
  type LoadedFile,
  type LoadOptions,
  loadCases,
  loadTierCases,
  requireLadderOrder,
} from '../cases/index.ts';
import type { LoadedSuite } from './suite.ts';

export interface GateCases {
  readonly cases: readonly Case[];
  readonly files: readonly LoadedFile[];
  readonly excluded: LoadedCases['excluded'];
  readonly rejected: number;
  /** What a person should know about the data, a line each. */
  readonly notes: readonly string[];
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
};

/**
 * The cases that a suite names, or those of `data` in their place, those without labels included: a case that is escalated loses nothing,
 * whether or not anybody labelled it, and of one that is kept cheap the worst is assumed.
 * @throws PlimsollError `insufficient-data` if no file is named, or no case is left
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
  return {
    ...labelled,
    cases: [...labelled.cases, ...tiered.flatMap(({ cases }) => cases)],
    files: [...labelled.files, ...tiered.map(({ loaded }) => loaded)],
  };
}

async function loadLabelledCases(
  files: readonly string[],
  ladder: readonly Rung[],
  qualityField: string,
  reading: GateReading,
): Promise<GateCases> {
  const models = ladder.map(({ model }) => model);
  const loaded = await loadCases(files, {
    ...reading,
    models,
    qualityField,
    keepUnlabelled: true,
    maxRejectShare: 0, // rows that fall out would not count as lost, and which ones do is no accident
  });
  const { cases, excluded, rejectedCount } = loaded;
  requireLadderOrder(cases, models);
  return { cases, files: loaded.files, excluded, rejected: rejectedCount, notes: dataNotes(loaded, models) };
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
