import { textTable } from '../../../evals/report/index.ts';
import { TIMES_MARGIN } from './population.ts';
import type { CoverageReport, Frequency, SettingReport, SimulationReport } from './report.ts';

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
