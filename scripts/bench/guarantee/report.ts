import { textTable } from '../../../evals/format.ts';
import { clopperPearsonInterval, compensatedMean } from '../../../router/statistics/index.ts';
import { DEFAULT_METHOD } from './methods.ts';
import { type LabelledSet, TIMES_MARGIN } from './population.ts';
import { SCHEMA_VERSION, type SettingResult, type SimulationResult } from './results.ts';
import { type Repeats, type Setting, settingName } from './settings.ts';
import { CONFIDENCE } from './simulations/simulation.ts';

/** A count of events, with the exact (Clopper-Pearson) 95 % interval of their probability. */
interface Frequency {
  readonly count: number;
  readonly of: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

const HEADLINE: Setting = {
  set: 'routellm_mmlu',
  n: 2000,
  maxQualityLoss: 0.03,
  confidence: 0.95,
};
const INTERVAL_LEVEL = 0.95;
/** How often a policy that loses 1.5 times the margin may pass, whatever the confidence. */
const MOST_FALSE_PASSES = 0.05;

/** All results, as JSON: `overall` first, then each setting and each simulation. */
export function coverageReport(
  sets: readonly LabelledSet[],
  results: readonly SettingResult[],
  simulations: readonly SimulationResult[],
  repeats: Repeats,
) {
  const settings = results.map(settingReport);
  const headline = settings.find(({ setting }) => setting === settingName(HEADLINE));
  return {
    schema_version: SCHEMA_VERSION,
    ...repeats,
    interval_level: INTERVAL_LEVEL,
    sets: sets.map(setReport),
    overall: overallFrequencies(settings),
    ...(headline && { headline: headlineReport(headline) }),
    settings,
    simulations: simulations.map(simulationReport),
  };
}

type CoverageReport = ReturnType<typeof coverageReport>;
type SettingReport = ReturnType<typeof settingReport>;
type SimulationReport = ReturnType<typeof simulationReport>;

/**
 * Violations of the default method's guarantee, one sentence each: settings with certified thresholds that exceed the margin, or PASSes
 * of a policy that does, significantly more often than 1 - confidence (the whole interval is above), and settings that pass a policy
 * losing 1.5 times the margin in more than 5 % of the samples; and attacks that get through the gate significantly more often than it
 * promises.
 *
 * @returns empty if the guarantee holds
 */
export function guaranteeViolations({ settings, simulations }: CoverageReport): string[] {
  return [...settings.flatMap(settingViolations), ...simulations.flatMap(simulationViolations)];
}

function simulationViolations({ simulation, ways }: SimulationReport): string[] {
  return ways
    .filter(({ promised, low }) => promised && low > 1 - CONFIDENCE)
    .map(({ way, count, of }) => `${simulation}: ${count} of ${of} runs pass what is bad (${way}).`);
}

function settingViolations({ setting, confidence, certification, gate }: SettingReport): string[] {
  const delta = 1 - confidence;
  const violated: string[] = [];
  const { violations } = certification.find(({ method }) => method === DEFAULT_METHOD)!;
  if (violations.low > delta)
    violated.push(
      `${setting}: ${violations.count} of ${violations.of} certified thresholds break the margin.`,
    );
  for (const { times_margin, passes } of gate.filter((policy) => policy.times_margin >= 1)) {
    const { count, of, rate, low } = passes.find(({ method }) => method === DEFAULT_METHOD)!;
    if (low > delta || (times_margin > 1 && rate > MOST_FALSE_PASSES))
      violated.push(
        `${setting}: the gate passes ${count} of ${of} samples at ${times_margin} times the margin.`,
      );
  }
  return violated;
}

function setReport({ set, models: [cheap, strong], sha256, quality }: LabelledSet) {
  const [cheapQuality = Number.NaN, strongQuality = Number.NaN] = quality.map((column) =>
    compensatedMean(column),
  );
  return {
    set,
    cases: quality[0]!.length,
    sha256,
    cheap,
    strong,
    quality: { cheap: rounded(cheapQuality), strong: rounded(strongQuality) },
  };
}

function settingReport(result: SettingResult) {
  const { set, n, max_quality_loss, confidence, resamples: of } = result;
  return {
    setting: settingName({ set, n, maxQualityLoss: max_quality_loss, confidence }),
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

function simulationReport({ simulation, runs, ways }: SimulationResult) {
  return {
    simulation,
    ways: ways.map(({ way, promised, events }) => ({ way, promised, ...frequency(events, runs) })),
  };
}

function headlineReport({ setting, certification }: SettingReport) {
  const { violations, cheaper_than_random, ...rest } = certification.find(
    ({ method }) => method === DEFAULT_METHOD,
  )!;
  return { setting, cheaper_than_random, violations, ...rest };
}

/**
 * For each confidence and method the pooled frequencies of all settings, and the lowest and highest single one. The settings of a set are
 * draws from one population with the same scores, so their rates are correlated: the pooled interval holds for these populations only.
 */
function overallFrequencies(settings: readonly SettingReport[]) {
  const confidences = [...new Set(settings.map(({ confidence }) => confidence))];
  const methods = settings[0]?.certification.map(({ method }) => method) ?? [];
  return confidences.flatMap((confidence) => {
    const own = settings.filter((setting) => setting.confidence === confidence);
    return methods.map((method) => ({
      method,
      confidence,
      settings: own.length,
      violations: pool(own.map((setting) => violationFrequency(setting, method))),
      passes: TIMES_MARGIN.flatMap((times_margin) => {
        const found = own.flatMap((setting) => passFrequencies(setting, method, times_margin));
        return found.length === 0 ? [] : [{ times_margin, ...pool(found) }];
      }),
    }));
  });
}

interface SettingFrequency extends Frequency {
  readonly setting: string;
}

function violationFrequency({ setting, certification }: SettingReport, method: string): SettingFrequency {
  return { setting, ...certification.find((row) => row.method === method)!.violations };
}

/** Empty if the set has no such policy. */
function passFrequencies(
  { setting, gate }: SettingReport,
  method: string,
  timesMargin: number,
): SettingFrequency[] {
  const policies = gate.filter(({ times_margin }) => times_margin === timesMargin);
  return policies.map(({ passes }) => {
    const { method: _, ...found } = passes.find((row) => row.method === method)!;
    return { setting, ...found };
  });
}

function pool(frequencies: readonly SettingFrequency[]) {
  const total = (of: 'count' | 'of') => frequencies.reduce((sum, one) => sum + one[of], 0);
  const lowest = frequencies.reduce((least, one) => (one.rate < least.rate ? one : least));
  const highest = frequencies.reduce((most, one) => (one.rate > most.rate ? one : most));
  return { ...frequency(total('count'), total('of')), lowest, highest };
}

function frequency(count: number, of: number): Frequency {
  if (of === 0) return { count, of, rate: 0, low: 0, high: 1 };
  const { low, high } = clopperPearsonInterval(count, of, 1 - INTERVAL_LEVEL);
  return { count, of, rate: rounded(count / of), low: rounded(low), high: rounded(high) };
}

/** Six decimals: later digits depend on the order of summation. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

const OVERALL = [
  'method',
  'confidence',
  'violations',
  '95 % interval',
  'worst setting',
  'PASS at .5 m',
  'at m',
  'at 1.5 m',
];

const CERTIFICATION = [
  'setting',
  'method',
  'violations',
  '95 % interval',
  'certified',
  'escalated',
  'random needs',
  'true loss',
];

const SIMULATIONS = ['simulation', 'judged by', 'share', '95 % interval', 'runs', 'promised'];

/** The report for people: overall first, then certified thresholds and the gate's PASSes, setting by setting, and the simulations. */
export function reportText(report: CoverageReport): string {
  return [
    `${report.resamples} resamples a setting, seed ${report.seed}`,
    ...report.sets.map(
      ({ set, cases, cheap, strong, quality }) =>
        `${set}: ${cases} cases, ${cheap} ${quality.cheap.toFixed(3)} -> ${strong} ${quality.strong.toFixed(3)}`,
    ),
    '',
    ...(report.settings.length > 0 ? settingsLines(report) : []),
    ...(report.simulations.length > 0
      ? [textTable([SIMULATIONS, ...report.simulations.flatMap(simulationCells)]), '']
      : []),
  ].join('\n');
}

function settingsLines(report: CoverageReport): string[] {
  return [
    textTable([OVERALL, ...report.overall.map(overallCells)]),
    '',
    ...headlineLines(report),
    textTable([CERTIFICATION, ...report.settings.flatMap(certificationCells)]),
    '',
    textTable(gateRows(report.settings)),
    '',
  ];
}

function simulationCells({ simulation, ways }: SimulationReport): string[][] {
  return ways.map((way) => [
    simulation,
    way.way,
    percent(way.rate),
    interval(way),
    String(way.of),
    way.promised ? 'yes' : 'no',
  ]);
}

function headlineLines({ headline }: CoverageReport): string[] {
  if (headline === undefined) return [];
  const { setting, cheaper_than_random, escalation_rate, random_escalation_rate } = headline;
  return [
    `${setting}: ${percent(cheaper_than_random.rate)} of the samples give a threshold that escalates less than random routing needs for the same loss; in the mean ${percent(escalation_rate)} against ${percent(random_escalation_rate)}`,
    '',
  ];
}

function overallCells(row: CoverageReport['overall'][number]): string[] {
  const { method, confidence, violations, passes } = row;
  return [
    method,
    String(confidence),
    rate(violations),
    interval(violations),
    `${percent(violations.highest.rate)} at ${violations.highest.setting}`,
    ...TIMES_MARGIN.map((times) => rate(passes.find(({ times_margin }) => times_margin === times) ?? {})),
  ];
}

function certificationCells({ setting, certification }: SettingReport): string[][] {
  return certification.map((row) => [
    setting,
    row.method,
    rate(row.violations),
    interval(row.violations),
    rate(row.certified),
    percent(row.escalation_rate),
    percent(row.random_escalation_rate),
    row.true_loss.toFixed(4),
  ]);
}

/** One column per method: the share of the samples that passed a policy of that true loss. */
function gateRows(settings: readonly SettingReport[]): string[][] {
  const methods = settings[0]?.certification.map(({ method }) => method) ?? [];
  const rows = settings.flatMap(({ setting, gate }) =>
    gate.map(({ true_loss, passes }) => [setting, true_loss.toFixed(4), ...passes.map(rate)]),
  );
  return [['PASS of a known policy', 'true loss', ...methods], ...rows];
}

function rate(found: Partial<Frequency>): string {
  return found.rate === undefined ? '-' : percent(found.rate);
}

function interval({ low, high }: Partial<Frequency>): string {
  return low === undefined || high === undefined ? '-' : `${percent(low)} to ${percent(high)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
