import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../router/statistics/index.ts';
import { DEFAULT_METHOD, testMethod } from '../../scripts/bench/guarantee/methods.ts';
import type { LabelledSet } from '../../scripts/bench/guarantee/population.ts';
import { coverageReport, guaranteeViolations, reportText } from '../../scripts/bench/guarantee/report.ts';
import { openResults } from '../../scripts/bench/guarantee/results.ts';
import { runSetting } from '../../scripts/bench/guarantee/run-setting.ts';
import { measure, type Runner, startWorkers } from '../../scripts/bench/guarantee/runner.ts';
import { selectSettings, settingName } from '../../scripts/bench/guarantee/settings.ts';
import { madeUpPopulation } from './made-up-population.ts';

const population = madeUpPopulation(800, 2);
const labelled: LabelledSet = { ...population, models: ['small', 'large'], cases: [] };
const settings = selectSettings('routellm_mmlu/200,routellm_mmlu/500/*/0.95');
const repeats = { resamples: 3, seed: 1 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'coverage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** In this process, noting what was asked for; fails once `most` settings are done. */
function inProcess(most = Number.POSITIVE_INFINITY) {
  const asked = { scored: 0, run: [] as string[] };
  const runner: Runner = {
    async score() {
      asked.scored++;
      return population;
    },
    async run(of, setting, wanted) {
      if (asked.run.length >= most) throw new Error('stopped');
      asked.run.push(settingName(setting));
      return runSetting(of, setting, wanted);
    },
  };
  return { asked, runner };
}

function measured(runner: Runner, file?: string, wanted = repeats, set = labelled) {
  const results = openResults(file);
  return measure({ sets: [set], settings, repeats: wanted, runner, results, say: () => {} });
}

describe('which settings run', () => {
  it('are those that a pattern fits, and all without one', () => {
    expect(selectSettings(undefined)).toHaveLength(60);
    expect(selectSettings('*/5000/*/0.9').map(settingName)).toEqual([
      'routellm_mmlu/5000/0.02/0.9',
      'routellm_mmlu/5000/0.03/0.9',
      'routellm_mmlu/5000/0.05/0.9',
      'rational_cascades/5000/0.02/0.9',
      'rational_cascades/5000/0.03/0.9',
      'rational_cascades/5000/0.05/0.9',
    ]);
    expect(settings).toHaveLength(9);
  });

  it.each(['mmlu', 'routellm_mmlu/20', 'routellm_mmlu/200/0.02/0.9/1'])('refuses %s', (only) => {
    expect(() => selectSettings(only)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  });
});

describe('a run that was stopped', () => {
  it('is taken up where it was, and ends as if it had not been', async () => {
    const file = path.join(folder, 'results.jsonl');
    const whole = await measured(inProcess().runner);
    await expect(measured(inProcess(4).runner, file)).rejects.toThrow('stopped');
    const kept = readFileSync(file, 'utf8');
    appendFileSync(file, kept.slice(0, 30)); // the power went in the middle of a line
    const rest = inProcess();
    expect(await measured(rest.runner, file)).toEqual(whole);
    expect(rest.asked.run).toHaveLength(5);
    expect(readFileSync(file, 'utf8').startsWith(kept)).toBe(true);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(10);

    const nothing = inProcess();
    expect(await measured(nothing.runner, file)).toEqual(whole);
    expect(nothing.asked).toEqual({ scored: 0, run: [] });
  });

  it.each([
    ['another number of resamples', { resamples: 2, seed: 1 }, labelled],
    ['another seed', { resamples: 3, seed: 2 }, labelled],
    ['other data', repeats, { ...labelled, sha256: 'other' }],
  ])('does not count for %s', async (_, wanted, set) => {
    const file = path.join(folder, 'results.jsonl');
    await measured(inProcess().runner, file);
    const again = inProcess();
    // the runner's population bears the sha256 of the first data, so with other data the result itself is not found
    await measured(again.runner, file, wanted, set).catch(() => undefined);
    expect(again.asked.run).toHaveLength(9);
  });

  it.each(['{"schema_version":1}', 'no JSON', ''])('stops at the line %j', async (line) => {
    const file = path.join(folder, 'results.jsonl');
    writeFileSync(file, `${line}\n`);
    expect(() => openResults(file)).toThrow(
      expect.objectContaining({ code: 'invalid-input', place: { file, line: 1 } }),
    );
  });
});

describe('worker processes', () => {
  it('give what this process gives, and hand on what went wrong', async () => {
    const workers = startWorkers(2);
    try {
      const found = await Promise.all(
        settings.slice(0, 3).map((setting) => workers.run(population, setting, repeats)),
      );
      expect(found).toEqual(settings.slice(0, 3).map((setting) => runSetting(population, setting, repeats)));
      const none = { ...population, probabilities: [], quality: [new Float64Array(0), new Float64Array(0)] };
      await expect(workers.run(none, settings[0]!, repeats)).rejects.toMatchObject({ code: 'invalid-input' });
    } finally {
      workers.close();
    }
  });
});

describe('the report', () => {
  const never = testMethod(DEFAULT_METHOD, () => () => 1);
  const always = testMethod(DEFAULT_METHOD, () => () => 0);
  const reportWith = (method: typeof never) => {
    const some = { resamples: 50, seed: 1 };
    const results = settings.map((setting) => runSetting(population, setting, some, [method]));
    return coverageReport([labelled], results, [], some);
  };

  it('finds no broken promise where nothing is certified, and every one where everything is', () => {
    expect(guaranteeViolations(reportWith(never))).toEqual([]);
    const broken = guaranteeViolations(reportWith(always));
    for (const setting of settings) {
      const own = broken.filter((sentence) => sentence.startsWith(`${settingName(setting)}:`));
      expect(own).toHaveLength(3); // thresholds, policies just above the margin, policies at 1.5 times the margin
    }
  });

  it('adds up the settings of one confidence, with the exact interval', () => {
    const { overall, headline } = reportWith(always);
    expect(overall.map(({ confidence, settings: count }) => [confidence, count])).toEqual([
      [0.9, 3],
      [0.95, 6],
    ]);
    // 150 of 150: .025 ^ (1 / 150)
    expect(overall[0]!.violations).toMatchObject({ count: 150, of: 150, rate: 1, low: 0.975707, high: 1 });
    const { highest, lowest } = reportWith(never).overall[1]!.violations;
    expect([highest.rate, lowest.rate]).toEqual([0, 0]);
    expect(overall[1]!.passes.map(({ times_margin, count }) => [times_margin, count])).toEqual([
      [0.5, 300],
      [1, 300],
      [1.5, 300],
    ]);
    expect(headline).toBeUndefined();
  });

  it('has a line for each setting and a dash for what is not there', () => {
    const report = reportWith(never);
    const text = reportText(report);
    for (const setting of settings) expect(text).toContain(`${settingName(setting)} `);
    expect(text).not.toMatch(/NaN|undefined|null/);
    const without = reportText({ ...report, overall: report.overall.map((row) => ({ ...row, passes: [] })) });
    expect(without).toMatch(/^gate .* - +- +-$/m);
  });
});

describe('the command', () => {
  const script = fileURLToPath(new URL('../../scripts/bench/coverage.ts', import.meta.url));
  const run = (...flags: string[]) => {
    const env = { ...process.env };
    delete env['PLIMSOLL_DATA'];
    const args = ['--import', 'tsx', script, '--workers', '1', '--resamples', '2', ...flags];
    return execFileSync(process.execPath, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
  };

  it('scores a set out of fold, prints the same JSON again, and does not run twice what --out holds', () => {
    writeMadeUpSet(path.join(folder, 'routellm_mmlu.jsonl.gz'));
    const out = path.join(folder, 'results.jsonl');
    const flags = ['--data', folder, '--only', 'routellm_mmlu/200/0.05/0.95', '--json', '--out', out];
    const first = run(...flags);
    const lines = readFileSync(out, 'utf8');
    expect(JSON.parse(first)).toMatchObject({
      schema_version: 2,
      resamples: 2,
      sets: [{ set: 'routellm_mmlu', cases: 60, cheap: 'mixtral-8x7b-instruct-v0.1' }],
      settings: [{ setting: 'routellm_mmlu/200/0.05/0.95' }],
    });
    expect(run(...flags)).toBe(first);
    expect(readFileSync(out, 'utf8')).toBe(lines);
  }, 120_000);

  it('says what is missing where it is told no folder', () => {
    expect(() => run('--only', 'routellm_mmlu/200')).toThrow(
      expect.objectContaining({
        status: 2,
        stderr: expect.stringContaining('No data: name the folder with routellm_mmlu.jsonl.gz'),
      }),
    );
  });
});

/** Sums of small numbers are easy and of large ones hard for the cheap model, so that there is something to learn. */
function writeMadeUpSet(file: string): void {
  const random = seededRandom(9);
  const rows = Array.from({ length: 60 }, (_, i) => {
    const hard = i % 2 === 0;
    const prompt = hard ? `What is ${i}${i}7 times 98${i}?` : `Name a colour that goes with number ${i}.`;
    const quality = (p: number) => (random() < p ? 1 : 0);
    const outcomes = {
      'mixtral-8x7b-instruct-v0.1': { quality: quality(hard ? 0.2 : 0.8) },
      'gpt-4-1106-preview': { quality: quality(0.8) },
    };
    return JSON.stringify({ id: `made-up-${i}`, prompt, outcomes });
  });
  writeFileSync(file, gzipSync(`${rows.join('\n')}\n`));
}
