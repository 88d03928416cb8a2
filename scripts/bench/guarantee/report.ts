import { compensatedMean } from '../../../router/statistics/index.ts';
import { frequency, INTERVAL_LEVEL, rounded } from './frequency.ts';
import type { LabelledSet } from './labelled-set.ts';
import { DEFAULT_METHOD } from './mean-tests.ts';
import { overallOf } from './overall.ts';
import type { Repeats } from './run-setting.ts';
import { SCHEMA_VERSION, type SettingResult } from './setting-result.ts';
import { nameOf, type Setting } from './settings.ts';

export const HEADLINE: Setting = {
  set: 'routellm_mmlu',
  n: 2000,
  maxQualityLoss: 0.03,
  confidence: 0.95,
};

/** Everything that was found, as JSON: `overall` first, then each setting. */
export function reportOf(sets: readonly LabelledSet[], results: readonly SettingResult[], repeats: Repeats) {
  const settings = results.map(settingReport);
  const headline = settings.find(({ setting }) => setting === nameOf(HEADLINE));
  return {
    schema_version: SCHEMA_VERSION,
    ...repeats,
    interval_level: INTERVAL_LEVEL,
    sets: sets.map(setReport),
    overall: overallOf(settings),
    ...(headline && { headline: headlineOf(headline) }),
    settings,
  };
}

export type CoverageReport = ReturnType<typeof reportOf>;
export type SettingReport = ReturnType<typeof settingReport>;

function setReport({ set, models: [cheap, strong], sha256, quality }: LabelledSet) {
  const [cheapQuality, strongQuality] = quality.map((column) => compensatedMean(column));
  return {
    set,
    cases: quality[0]!.length,
    sha256,
    cheap,
    strong,
    quality: { cheap: rounded(cheapQuality!), strong: rounded(strongQuality!) },
  };
}

function settingReport(result: SettingResult) {
  const { set, n, max_quality_loss, confidence, resamples: of } = result;
  return {
    setting: nameOf({ set, n, maxQualityLoss: max_quality_loss, confidence }),
    set,
    n,
    max_quality_loss,
    confidence,
    certification: result.certification.map((row) => ({
      method: row.method,
      violations: frequency(row.violations, of),
      certified: frequency(row.certified, of),
      cheaper_than_random: frequency(row.cheaper_than_random, of),
      escalation_rate: rounded(row.escalation_rate),
      random_escalation_rate: rounded(row.random_escalation_rate),
      true_loss: rounded(row.true_loss),
    })),
    gate: result.gate.map((row) => ({
      times_margin: row.times_margin,
      true_loss: rounded(row.true_loss),
      escalation_rate: rounded(row.escalation_rate),
      passes: row.passes.map(({ method, passes }) => ({ method, ...frequency(passes, of) })),
    })),
  };
}

function headlineOf({ setting, certification }: SettingReport) {
  const { violations, cheaper_than_random, ...rest } = certification.find(
    ({ method }) => method === DEFAULT_METHOD,
  )!;
  return { setting, cheaper_than_random, violations, ...rest };
}
