import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError } from '../../../router/errors.ts';
import { type Repeats, type Setting, settingName } from './settings.ts';

export const SCHEMA_VERSION = 2;

const count = z.int().min(0);
const share = z.number().min(0).max(1);

/** Certified thresholds of all resamples. A resample without one escalates everything: it loses nothing and saves nothing. */
const certificationSchema = z.strictObject({
  method: z.string(),
  /** Resamples whose threshold's true loss exceeds the margin. */
  violations: count,
  /** Resamples with a threshold cheaper than always-strong. */
  certified: count,
  /** Resamples whose threshold escalates less of the population than random routing would for the same true loss. */
  cheaper_than_random: count,
  /** Means over the resamples, of the whole population under each threshold. */
  escalation_rate: share,
  true_loss: z.number(),
  /** 1 - true loss / gap: what random routing escalates to lose as much. Above 1 if routing beats the strong candidate. */
  random_escalation_rate: z.number(),
});

/** One policy of known loss, and how many samples passed it. */
const gateSchema = z.strictObject({
  times_margin: z.number(),
  threshold: z.number(),
  true_loss: z.number(),
  escalation_rate: share,
  passes: z.array(z.strictObject({ method: z.string(), passes: count })),
});

/** One line of the file from which a run can be resumed. */
const settingResultSchema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  set: z.string(),
  data_sha256: z.string(),
  n: count,
  max_quality_loss: share,
  confidence: share,
  resamples: count,
  seed: count,
  certification: z.array(certificationSchema),
  gate: z.array(gateSchema),
});

/** One simulation, and how many of its runs had the event in each way of judging it. */
const simulationResultSchema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  simulation: z.string(),
  resamples: count,
  seed: count,
  /** Resamples that say something: of an attack, those with something bad to pass. */
  runs: count,
  ways: z.array(z.strictObject({ way: z.string(), promised: z.boolean(), events: count })),
});

export type SettingResult = z.infer<typeof settingResultSchema>;
export type Certification = z.infer<typeof certificationSchema>;
export type GateResult = z.infer<typeof gateSchema>;
export type SimulationResult = z.infer<typeof simulationResultSchema>;

/** The results so far. */
export interface Results {
  /** The result for the same data, setting, number of resamples and seed; undefined if it has not run. */
  find(dataSha256: string, setting: Setting, repeats: Repeats): SettingResult | undefined;
  findSimulation(simulation: string, repeats: Repeats): SimulationResult | undefined;
  add(result: SettingResult | SimulationResult): void;
}

/**
 * Results are appended to a file as they come, one per line, so that a stopped run can be resumed. Delete the file after a change of
 * the code: the lines do not record its version.
 *
 * @param file created if it is missing; without a file the results are kept in memory only
 * @throws PlimsollError `invalid-input`: a line that is no result of this version. An incomplete last line is removed
 */
export function openResults(file?: string): Results {
  const known = new Map<string, SettingResult>();
  const simulations = new Map<string, SimulationResult>();
  const keep = (result: SettingResult | SimulationResult) => {
    if ('simulation' in result) simulations.set(simulationKey(result.simulation, result), result);
    else known.set(resultKey(result), result);
  };
  readResults(file).forEach(keep);
  return {
    find: (dataSha256, setting, repeats) => known.get(runKey(dataSha256, setting, repeats)),
    findSimulation: (simulation, repeats) => simulations.get(simulationKey(simulation, repeats)),
    add(result) {
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`);
      keep(result);
    },
  };
}

function runKey(dataSha256: string, setting: Setting, { resamples, seed }: Repeats): string {
  return [dataSha256, settingName(setting), resamples, seed].join(' ');
}

function resultKey(result: SettingResult): string {
  const { data_sha256, set, n, max_quality_loss: maxQualityLoss, confidence } = result;
  return runKey(data_sha256, { set, n, maxQualityLoss, confidence }, result);
}

function simulationKey(simulation: string, { resamples, seed }: Repeats): string {
  return [simulation, resamples, seed].join(' ');
}

function readResults(file: string | undefined): (SettingResult | SimulationResult)[] {
  if (file === undefined || !existsSync(file)) return [];
  const bytes = readFileSync(file);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  if (whole.length < bytes.length) truncateSync(file, whole.length);
  const lines = whole.toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => parseLine(line, file, i + 1));
}

function parseLine(text: string, file: string, line: number): SettingResult | SimulationResult {
  const parsed = z.union([settingResultSchema, simulationResultSchema]).safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const message = `${file}, line ${line}: this is no result of this version of the benchmark. Name another file with --out.`;
  throw new PlimsollError('invalid-input', message, { place: { file, line } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
