import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Case, DEFAULT_SHARES, loadCases, splitByKey } from '../../evals/cases/index.ts';
import { comparisonSchema } from '../../evals/gate/comparison.ts';
import { readArtifact, readCurrent, readVerdict, sha256OfJson } from '../../router/artifact/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { LARGE, type MadeUpRow, MEDIUM, moreRows, SMALL, writeRows } from './made-up-data.ts';
import { cli, type Ended, ended, expectRefusal, jsonOf, scratchFolder, startCli, told } from './run-cli.ts';

/** Commands are run in a folder that holds these; the store is its `models`. */
const HOME = scratchFolder();
const OLD_ROWS = moreRows(0, 900);
const NEW_ROWS = moreRows(900, 900);
const DATA = ['old.jsonl', 'new.jsonl'];
const SUITE = 'suite.yaml';
/** One learner, where the choice between four is not what is tested: it takes most of the time. */
const LR = ['--learner', 'lr'];

const retrain = (cwd: string, out: string, ...more: string[]) => cli(retrainArgs(out, ...more), { cwd });
const retrainArgs = (out: string, ...more: string[]) => [
  ...['retrain', '--data', ...DATA, '--champion', 'models/spring', '--out', out, '--suite', SUITE],
  ...['--not-worse-by', '0.06', ...more],
];
const serving = (cwd: string) => readCurrent(path.join(cwd, 'models'))?.artifact;
const succeeded = async (run: Promise<Ended>) => {
  const { code, stderr } = await run;
  expect(code, stderr).toBe(0);
};

/** All as it is after the champion was promoted and the challenger was made, in a folder of its own. */
function copyOfHome(...without: string[]): string {
  const cwd = scratchFolder();
  cpSync(HOME, cwd, { recursive: true });
  for (const one of without) rmSync(path.join(cwd, one), { recursive: true });
  return cwd;
}

/** Rows whose labels outside the sealed part are changed: what is learned is wrong, and what is sealed tells. */
async function mislabelled(change: (row: MadeUpRow, i: number) => MadeUpRow): Promise<MadeUpRow[]> {
  const { cases } = await loadCases([path.join(HOME, 'new.jsonl')], { models: [SMALL, LARGE] });
  const sealed = new Set(splitByKey(cases, DEFAULT_SHARES, 1).test.map(({ id }) => id));
  return NEW_ROWS.map((row, i) => (sealed.has(row.id) ? row : change(row, i)));
}

/** By the router that serves, one request a case. At the threshold that serves, or at another. */
async function servedFigures(name: string, cases: readonly Case[], threshold?: number) {
  const artifact = path.join(HOME, 'models', name);
  const router = await createRouter(
    configSchema.parse({ artifact, default_policy: 'default', allow_ungated: true }),
  );
  let [escalated, quality, costUsd] = [0, 0, 0];
  for (const { text, outcomes } of cases) {
    const decision = await router.route({ prompt: text }, threshold === undefined ? {} : { threshold });
    const outcome = outcomes.get(decision.model)!;
    if (decision.escalated) escalated++;
    quality += outcome.quality;
    costUsd += outcome.costUsd!;
  }
  await router.close();
  const n = cases.length;
  return { escalationRate: escalated / n, quality: quality / n, costUsd: costUsd / n };
}

let outcome: Awaited<ReturnType<typeof jsonOf>>;

beforeAll(async () => {
  writeRows(HOME, 'old.jsonl', OLD_ROWS);
  writeRows(HOME, 'new.jsonl', NEW_ROWS);
  writeFileSync(path.join(HOME, SUITE), 'name: made-up\nmax_quality_loss: 0.12\n');
  const cwd = HOME;
  const models = ['--cheap', SMALL, '--strong', LARGE];
  const champion = ['--out', 'models/spring', '--max-quality-loss', '0.05', ...LR];
  await succeeded(cli(['train', '--data', 'old.jsonl', ...models, ...champion], { cwd }));
  const gate = ['gate', '--artifact', 'models/spring', '--suite', SUITE, '--data', 'old.jsonl'];
  await succeeded(cli(gate, { cwd }));
  await succeeded(cli(['promote', '--artifact', 'models/spring'], { cwd }));
  outcome = jsonOf(await retrain(HOME, 'models/summer', '--json', '--promote', '--reports', 'reports'));
}, 180_000);

describe('a challenger that is no worse', { timeout: 60_000 }, () => {
  it('is trained as the champion was, passes the gate, and is promoted', () => {
    expect(outcome).toMatchObject({ schema_version: 1, out: 'models/summer', resumed: false, reasons: [] });
    expect(outcome).toMatchObject({ may_replace: true, promoted: true, verdict: { verdict: 'PASS' } });
    expect(serving(HOME)).toBe('summer');
    const [spring, summer] = ['spring', 'summer'].map((name) =>
      readArtifact(path.join(HOME, 'models', name)),
    );
    expect(summer!.manifest).toMatchObject({ name: 'summer', ladder: spring!.manifest.ladder });
    expect(summer!.manifest.split).toMatchObject({ seed: spring!.manifest.split.seed });
    // of the suite, by which the gate then finds the threshold
    const rule = { rule: 'max-quality-loss', target: 0.12, confidence: 0.95 };
    expect(summer!.manifest.policy.chosen_by).toEqual(rule);
    expect(summer!.modelCard).toContain(
      `Trained to take the place of \`spring\` (sha256 of its manifest \`${spring!.sha256}\`)`,
    );
    const looks = readFileSync(path.join(HOME, 'models', 'looks.jsonl'), 'utf8');
    expect(looks).toContain(summer!.sha256);
  });

  it('has a comparison beside its verdict, bound to both artifacts and to itself', () => {
    const folder = path.join(HOME, 'models', 'summer');
    const { sha256, ...content } = comparisonSchema.parse(
      JSON.parse(readFileSync(path.join(folder, 'comparison.json'), 'utf8')),
    );
    expect(sha256).toBe(sha256OfJson(content));
    expect(outcome.comparison).toEqual({ ...content, sha256 });
    const [spring, summer] = ['spring', 'summer'].map((name) =>
      readArtifact(path.join(HOME, 'models', name)),
    );
    const verdict = readVerdict(folder)!;
    const side = ({ sha256: hash, manifest, folder: own }: NonNullable<typeof spring>) => ({
      name: manifest.name,
      sha256: hash,
      threshold: readVerdict(own)!.policy.threshold, // the one that serves, not the preview
    });
    expect(content).toMatchObject({ champion: side(spring!), challenger: side(summer!) });
    expect(content.challenger.threshold).not.toBe(summer!.manifest.policy.threshold);
    const { n, sha256: sealed } = verdict.sealed;
    expect(content.sealed).toEqual({ n, sha256: sealed });
    expect(summer!.manifest.split.test).toEqual({ n, sha256: sealed });
    // what the gate measured of the challenger, the comparison measures again
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    const { challenger, champion, quality_drop: drop } = content.measured;
    expect(challenger.quality_loss.value).toBeCloseTo(loss.value!, 12);
    // cases that the champion was gated on: the second look at them, and no new confidence for the comparison
    expect(content.compared_on).toEqual({ n, fresh: false });
    expect(drop.confidence).toBe(loss.confidence);
    expect(challenger.quality_loss.upper).toBeCloseTo(loss.bounds.upper!, 9);
    expect(challenger.quality_loss.upper).toBeGreaterThan(loss.value!);
    expect(drop.value).toBeCloseTo(challenger.quality_loss.value - champion.quality_loss.value, 12);
    expect(['better', 'not-worse']).toContain(content.measured.result);
    expect(readdirSync(path.join(HOME, 'reports')).sort()).toEqual([
      'comparison.json',
      'report.html',
      'report.md',
      'report.xml',
      'verdict.json',
    ]);
  });

  it('compares what each would serve at its own threshold, on the sealed cases', async () => {
    const { cases } = await loadCases(
      DATA.map((file) => path.join(HOME, file)),
      { models: [SMALL, LARGE] },
    );
    const sealed = splitByKey(cases, DEFAULT_SHARES, 1).test;
    const { champion, challenger } = outcome.comparison.measured;
    const served = [await servedFigures('spring', sealed), await servedFigures('summer', sealed)];
    const [byChampion, byChallenger] = served;
    expect(champion.escalation_rate).toBe(byChampion!.escalationRate);
    expect(challenger.escalation_rate).toBe(byChallenger!.escalationRate);
    expect(champion.cost_usd).toBeCloseTo(byChampion!.costUsd, 12);
    expect(challenger.cost_usd).toBeCloseTo(byChallenger!.costUsd, 12);
    expect(outcome.comparison.champion.threshold).not.toBe(outcome.comparison.challenger.threshold);
    // one threshold for both would be seen
    const atOthers = await servedFigures('spring', sealed, outcome.comparison.challenger.threshold);
    expect(atOthers.escalationRate).not.toBe(champion.escalation_rate);
    const { value } = outcome.comparison.measured.quality_drop;
    expect(value).toBeCloseTo(byChampion!.quality - byChallenger!.quality, 12);
  });

  it('serve on the store follows a rollback, and a second run that skips the training', async () => {
    const cwd = copyOfHome();
    const config = 'artifact: models\nreload_interval_ms: 100\nserver: { port: 0 }\n';
    writeFileSync(path.join(cwd, 'plimsoll.config.yaml'), config);
    const server = startCli(['serve'], { cwd });
    const end = ended(server);
    await told(server, /"artifact":"summer".*listens on/);
    const back = told(server, /"artifact":"spring".*reloaded: this serves from now on/);
    await succeeded(cli(['rollback'], { cwd }));
    await back;
    const made = readFileSync(path.join(cwd, 'models', 'summer', 'manifest.json'), 'utf8');
    const forth = told(server, /"artifact":"summer".*reloaded: this serves from now on/);
    const again = await retrain(cwd, 'models/summer', '--promote');
    expect(again.code, again.stderr).toBe(0);
    await forth;
    expect(again.stderr).toMatch(/^resuming: models\/summer was trained from these data against spring/m);
    expect(again.stderr).not.toMatch(/^training: /m);
    expect(again.stdout).toMatch(/^ +champion spring +challenger summer$/m);
    expect(again.stdout).toMatch(/^cost of a thousand +\$\d+\.\d{3} +\$\d+\.\d{3}$/m);
    expect(again.stdout).toMatch(/^PASS of summer by the suite made-up on \d+ sealed cases\.$/m);
    expect(again.stdout).toMatch(
      /^summer is (not worse than spring by more than 0\.06|better than spring): mean quality drop /m,
    );
    expect(again.stdout).toMatch(/\nPromoted: models serves summer from now on\.\n$/);
    expect(readFileSync(path.join(cwd, 'models', 'summer', 'manifest.json'), 'utf8')).toBe(made);
    server.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 0 });
  });

  it.runIf(LONG_RUN)(
    'without --promote stays where it is, and the command that would promote it is told',
    async () => {
      const cwd = copyOfHome('models/current.json');
      const { code, stdout } = await retrain(cwd, 'models/summer');
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /\nIt may replace the champion: npm run -s plimsoll -- promote --artifact models\/summer\.\n$/,
      );
      expect(serving(cwd)).toBeUndefined();
    },
  );

  it.runIf(LONG_RUN)(
    'replaces a champion that never had a verdict, saying that there is no way back',
    async () => {
      const cwd = copyOfHome('models/current.json', 'models/spring/verdict.json');
      // such a champion is compared at its preview
      const { code, stdout, stderr } = await retrain(
        cwd,
        'models/summer',
        '--promote',
        '--not-worse-by',
        '0.12',
      );
      expect(code, stderr).toBe(0);
      const preview = readArtifact(path.join(cwd, 'models', 'spring')).manifest.policy.threshold;
      expect(stdout).toMatch(new RegExp(`^threshold +${preview.toFixed(4)} +`, 'm'));
      expect(stderr).toMatch(/A rollback to the champion would be refused: models\/spring has no verdict/);
      expect(serving(cwd)).toBe('summer');
    },
  );
});

describe('a challenger that may not replace', { timeout: 120_000 }, () => {
  const springServes = () => {
    const cwd = copyOfHome('models/summer');
    const file = path.join(cwd, 'models', 'current.json');
    const { history, ...current } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...current, artifact: 'spring', history: history.slice(0, 1) }));
    return cwd;
  };

  it.runIf(LONG_RUN)(
    'learned from labels that stand the wrong way round: FAIL, 10, and the pointer stays',
    async () => {
      const cwd = springServes();
      const easy = OLD_ROWS.filter(({ task }) => task === 'everyday');
      const hard = OLD_ROWS.filter(({ task }) => task === 'technical');
      const rows = await mislabelled((row, i) => {
        const other = row.task === 'everyday' ? hard : easy;
        return { ...row, outcomes: other[i % other.length]!.outcomes };
      });
      writeRows(cwd, 'new.jsonl', rows);
      // what it keeps cheap loses so much that the walk soon ends, outside a band that the champion keeps to
      const demands = 'max_quality_loss: 0.1\nescalation_rate: { min: 0.01, max: 0.7 }\n';
      writeFileSync(path.join(cwd, SUITE), `name: made-up\n${demands}`);
      await succeeded(
        cli(['gate', '--artifact', 'models/spring', '--suite', SUITE, '--data', 'old.jsonl'], { cwd }),
      );
      const more = ['--promote', '--not-worse-by', '0.005', ...LR];
      const args = retrainArgs('models/wrong', ...more).filter((one) => one !== 'old.jsonl');
      const { code, stdout } = await cli(args, { cwd });
      expect(code, stdout).toBe(10);
      expect(stdout).toMatch(/^FAIL of wrong by the suite made-up/m);
      expect(stdout).toMatch(/^wrong (is|may be) worse than spring by more than 0\.005: /m);
      expect(stdout).toMatch(
        /^not-worse-than-champion +-?0\.\d+ +-?0\.\d+ to 0\.\d+ +at most 0\.0050 +\d+ .* (FAIL|INCONCLUSIVE)$/m,
      );
      expect(stdout).toMatch(/^escalation-rate .* FAIL$/m);
      expect(stdout).toMatch(/\nThe champion stays, for the reasons above\. models\/wrong is kept\.\n$/);
      expect(serving(cwd)).toBe('spring');
      expect(readArtifact(path.join(cwd, 'models', 'wrong')).manifest.name).toBe('wrong');
    },
  );

  it.runIf(LONG_RUN)('learned from shuffled labels: not promoted, whatever it escalates', async () => {
    const cwd = springServes();
    const random = seededRandom(3);
    const any = () => NEW_ROWS[Math.floor(random() * NEW_ROWS.length)]!;
    const rows = await mislabelled((row) => ({ ...row, outcomes: any().outcomes }));
    writeRows(cwd, 'new.jsonl', rows);
    const args = retrainArgs('models/noise', '--promote', '--json', ...LR).filter(
      (one) => one !== 'old.jsonl',
    );
    const { code, stdout, stderr } = await cli(args, { cwd });
    expect([10, 11], stderr).toContain(code);
    const { reasons, ...rest } = JSON.parse(stdout);
    expect(rest).toMatchObject({ may_replace: false, promoted: false });
    expect(reasons.length).toBeGreaterThan(0);
    expect(serving(cwd)).toBe('spring');
  });

  it('cannot be told to be no worse from so few cases: 11, and what is known of how many more would do', async () => {
    const cwd = copyOfHome();
    await succeeded(cli(['rollback'], { cwd }));
    const { value } = outcome.comparison.measured.quality_drop;
    const tight = ['--not-worse-by', (value + 0.001).toFixed(4), '--promote'];
    const { code, stdout, stderr } = await retrain(cwd, 'models/summer', ...tight);
    expect(code, stderr).toBe(11);
    expect(stdout).toMatch(
      /^summer may be worse than spring by more than 0\.\d+: .* on \d+ cases, some of which earlier looks have seen\.$/m,
    );
    expect(stdout).toMatch(/^not-worse-than-champion {2}.* at most 0\.\d+ .* INCONCLUSIVE$/m);
    expect(stdout).toMatch(
      /^not-worse-than-champion: (?:too few cases to prove the limit: it takes at least \d+ further ones|too near the limit to say how many further cases would decide)/m,
    );
    expect(serving(cwd)).toBe('spring');
  });

  it('stopped while it was trained: nothing is left of it', async () => {
    const cwd = springServes();
    const child = startCli(retrainArgs('models/summer'), { cwd });
    const end = ended(child);
    await told(child, /^embedding: /m);
    child.kill('SIGINT');
    expect(await end).toMatchObject({ signal: 'SIGINT', stdout: '' });
    expect(readdirSync(path.join(cwd, 'models')).sort()).toEqual(['current.json', 'looks.jsonl', 'spring']);
  });
});

describe('what is refused before any training', { timeout: 60_000 }, () => {
  const refused = async (message: RegExp, change: (cwd: string) => void, ...more: string[]) => {
    const cwd = copyOfHome();
    change(cwd);
    const out = more.length > 0 && more[0]!.startsWith('models/') ? more.shift()! : 'models/next';
    const run = await retrain(cwd, out, ...more);
    expectRefusal(run, message);
    expect(run.stderr).not.toMatch(/^training: /m);
    if (out === 'models/next') expect(existsSync(path.join(cwd, out))).toBe(false);
  };

  it('data that do not know the models of the champion', () =>
    refused(new RegExp(LARGE), (cwd) => {
      const renamed = ({ outcomes, ...row }: MadeUpRow) => ({
        ...row,
        outcomes: { [SMALL]: outcomes[SMALL]!, [MEDIUM]: outcomes[LARGE]! },
      });
      writeRows(cwd, 'old.jsonl', OLD_ROWS.map(renamed));
      writeRows(cwd, 'new.jsonl', NEW_ROWS.map(renamed));
    }));

  it('sealed cases that the champion was trained on under other keys', () =>
    refused(/sealed cases .* ask questions that spring saw in training/, (cwd) => {
      writeRows(
        cwd,
        'old.jsonl',
        OLD_ROWS.map((row, i) => ({ ...row, key: `other-${i}` })),
      );
    }));

  it.runIf(LONG_RUN)(
    'a champion from before the gate chose the threshold, of which a part of the data calibrated',
    () =>
      refused(
        /ask questions that spring saw in training or calibration.* train it anew with `plimsoll train` first\.$/m,
        (cwd) => {
          const file = path.join(cwd, 'models', 'spring', 'manifest.json');
          const { split, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
          const calibrated = { ...split, calibration: { n: 180, sha256: 'c'.repeat(64) } };
          writeFileSync(file, JSON.stringify({ ...manifest, split: calibrated }));
          writeRows(
            cwd,
            'old.jsonl',
            OLD_ROWS.map((row, i) => ({ ...row, key: `other-${i}` })),
          );
        },
      ),
  );

  it.runIf(LONG_RUN)('another training in the same place', () =>
    refused(
      /models\/summer exists already, and artifacts are never overwritten/,
      (cwd) => writeFileSync(path.join(cwd, SUITE), 'name: made-up\nmax_quality_loss: 0.1\n'),
      'models/summer',
    ),
  );

  it('the champion as its own challenger, though with --force', () =>
    refused(/models\/spring is the champion itself/, () => {}, 'models/spring', '--force'));

  it('a promotion that would displace what was not compared with', () =>
    refused(
      /models serves summer, and the champion is models\/spring/,
      () => {},
      'models/next',
      '--promote',
    ));

  it.runIf(LONG_RUN)('a champion or a suite that is not there', async () => {
    await refused(/no artifact folder at models\/spring/, (cwd) =>
      rmSync(path.join(cwd, 'models', 'spring'), { recursive: true }),
    );
    await refused(/suite\.yaml/, (cwd) => rmSync(path.join(cwd, SUITE)));
  });

  it.runIf(LONG_RUN).each([
    ['no data', ['retrain', '--champion', 'a', '--out', 'b', '--suite', 'c'], /--data/],
    ['no champion', ['retrain', '--data', 'a', '--out', 'b', '--suite', 'c'], /--champion/],
    [
      'a margin of its own',
      retrainArgs('b', '--calibration-margin', '0.07'),
      /unknown option '--calibration-margin'/,
    ],
    ['a tolerance that is none', retrainArgs('b', '--not-worse-by', '2'), /number from 0 to 1/],
  ])('wrong usage: %s', async (_, args, message) => {
    expectRefusal(await cli(args, { cwd: HOME }), message, 2);
  });
});
