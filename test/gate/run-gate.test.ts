import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseQualityScale } from '../../evals/case-files/index.ts';
import { loadTierCases } from '../../evals/cases/index.ts';
import { replayArtifact } from '../../evals/gate/index.ts';
import { type GateRequest, type GateRun, runGate } from '../../evals/gate/run-gate.ts';
import { terminalReport } from '../../evals/report/index.ts';
import { predictedLosses } from '../../evals/threshold/index.ts';
import { readArtifact, readVerdict, sha256OfJson, verdictSchema } from '../../router/artifact/index.ts';
import { PACKAGE_FOLDER } from '../../router/package.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { itLong, LONG_RUN } from '../helpers/long-run.ts';
import {
  CHEAP,
  copyOf,
  type GateWorld,
  gateWorld,
  makeWorld,
  STRONG,
  writeCaseFile,
  writeSuite,
} from './gate-world.ts';

let world: GateWorld;
let run: GateRun;
let gaps = 0;
const ISSUED = new Date('2025-06-01T00:00:00Z');

beforeAll(async () => {
  world = await gateWorld();
  run = await runGate({ artifact: world.artifact, suite: world.suite, data: [world.data], issued: ISSUED });
});

const judged = async (changes: object, data: string[] | undefined = [world.data]) =>
  (
    await runGate({
      artifact: world.artifact,
      suite: writeSuite(world.home, changes),
      ...(data.length > 0 && { data }),
    })
  ).verdict;

describe('a verdict', () => {
  it('is a PASS of every condition of the suite, bound to artifact, suite, cases and itself', () => {
    const { verdict } = run;
    expect(verdict.verdict).toBe('PASS');
    expect(verdict.conditions.map(({ name }) => name)).toEqual([
      'quality-loss',
      'slice/everyday',
      'slice/technical',
      'silent-downgrades',
      'escalation-rate',
      'beats-random',
      'flip-rate/case',
      'flip-rate/white-space',
      'flip-rate/politeness',
      'flip-rate/punctuation',
      'calibration/cheap',
      'calibration/strong',
    ]);
    const artifact = readArtifact(world.artifact);
    expect(verdict.artifact).toEqual({ name: 'made', sha256: artifact.sha256 });
    const { n, sha256: cases } = artifact.manifest.split.test;
    expect(verdict.sealed).toMatchObject({ n, labelled: n, units: n, batches: [n], sha256: cases });
    expect(verdict.issued).toBe(ISSUED.toISOString());
    const { sha256, ...content } = verdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
    expect(sha256).toBe(sha256OfJson(content));
    expect(evidenceSchema.safeParse(content.evidence).error).toBeUndefined();
  });

  it('holds no text of a prompt; the run gives texts apart', () => {
    const said = JSON.stringify(run.verdict);
    const [id, text] = [...run.texts][0]!;
    expect(said).not.toContain('Please explain');
    expect(text).toContain('Please explain');
    expect(world.cases.find((one) => one.id === id)!.text).toBe(text);
  });

  it('comes out the same again', async () => {
    const again = await runGate({
      artifact: world.artifact,
      suite: world.suite,
      data: [world.data],
      issued: ISSUED,
    });
    expect(again.verdict).toEqual(run.verdict);
  });

  it('has all baselines, costs and the sentence', () => {
    const evidence = evidenceSchema.parse(run.verdict.evidence);
    expect(evidence.baselines.map(({ name }) => name)).toEqual([
      'always cheap',
      'always strong',
      'random',
      'prompt length',
      'task label',
      'nearest neighbours',
      'oracle',
    ]);
    expect(evidence.best_single).toBe('strong');
    expect(evidence.mixing_hull).toHaveLength(2);
    expect(evidence.cost!.saved_against_strong).toBeGreaterThan(0.1);
    expect(evidence.routing_pays).toBe(true);
    expect(evidence.conclusion).toMatch(/^Routing pays here/);
    const { heads } = evidence;
    for (const { brier, reliability, resolution, uncertainty } of heads) {
      expect(Math.abs(reliability - resolution + uncertainty - brier)).toBeLessThan(0.02); // but for the terms within bins
    }
  });

  const FAULTS: [string, object, string, string][] = [
    ['a margin that so few cases cannot prove', { max_quality_loss: 0.001 }, 'INCONCLUSIVE', 'quality-loss'],
    ['a narrower band', { escalation_rate: { min: 0.1, max: 0.5 } }, 'FAIL', 'escalation-rate'],
    [
      'a slice that is too small',
      { slices: [{ name: 'few', where: { max_characters: 40 }, max_quality_loss: 0.1 }] },
      'INCONCLUSIVE',
      'slice/few',
    ],
  ];
  it.each(FAULTS)('is worse by %s', async (_, changes, word, name) => {
    const verdict = await judged(changes);
    expect(verdict.verdict).toBe(word);
    expect(verdict.conditions.find((one) => one.name === name)!.verdict).toBe(word);
  });

  it.runIf(LONG_RUN)('is worse by fewer flips, if the cases are enough to prove too many', async () => {
    const { home, artifact, data } = await makeWorld(2 * world.cases.length);
    const suite = writeSuite(home, { flip_rate: { max: 0.001 } });
    const { verdict } = await runGate({ artifact, suite, data: [data] });
    expect(verdict.verdict).toBe('FAIL');
    expect(verdict.conditions.find(({ name }) => name === 'flip-rate/politeness')!.verdict).toBe('FAIL');
  });
});

describe('which cases', () => {
  it('a missing outcome counts as a loss where the case is kept cheap, and is not needed where it is escalated', async () => {
    const half = world.cases.map((one, i) =>
      i % 10 > 0 ? one : { ...one, outcomes: new Map([[CHEAP, one.outcomes.get(CHEAP)!]]) },
    );
    const data = writeCaseFile(path.join(world.home, 'half.jsonl'), half);
    const { sealed, policy } = await judged({}, [data]);
    expect(sealed.n).toBe(run.verdict.sealed.n);
    const unlabelled = sealed.n - sealed.labelled;
    expect(unlabelled).toBeGreaterThan(0.08 * sealed.n);
    expect(sealed.unknown_losses).toBeLessThan(unlabelled);
    expect(policy.threshold).toBeLessThan(run.verdict.policy.threshold);
  });

  itLong(
    'null and a missing outcome come to the same, and a row that cannot be read is refused: none may fall out',
    async () => {
      const rows = (small: (i: number) => object | undefined) => {
        const file = path.join(world.home, `gaps-${gaps++}.jsonl`);
        const lines = readFileSync(world.data, 'utf8').trimEnd().split('\n');
        const changed = lines.map((line, i) => {
          const { outcomes, ...row } = JSON.parse(line);
          const { [CHEAP]: known, ...others } = outcomes;
          const other = i % 60 === 0 ? small(i) : known;
          return JSON.stringify({ ...row, outcomes: { ...others, ...(other && { [CHEAP]: other }) } });
        });
        writeFileSync(file, `${changed.join('\n')}\n`);
        return file;
      };
      const gone = await judged({}, [rows(() => undefined)]);
      const nulls = await judged({}, [rows(() => ({ quality: null }))]);
      expect(gone.sealed.labelled).toBeLessThan(gone.sealed.n);
      expect([nulls.policy, nulls.conditions]).toEqual([gone.policy, gone.conditions]);
      await expect(judged({}, [rows(() => ({ quality: 'N/A' }))])).rejects.toThrow(/0 % are allowed/);
    },
  );

  it('that the policy is better than random does not follow from labels that only some escalated cases lack', async () => {
    const { threshold } = run.verdict.policy;
    const { probabilities } = await replayArtifact(readArtifact(world.artifact), world.cases, false);
    const scores = predictedLosses(probabilities);
    const cases = world.cases.map((one, row) => {
      const alike = one.outcomes.get(CHEAP)!.quality === one.outcomes.get(STRONG)!.quality;
      const outcomes = new Map([...one.outcomes].filter(([model]) => model !== CHEAP));
      return scores[row]! > threshold && alike ? { ...one, outcomes } : one;
    });
    const data = writeCaseFile(path.join(world.home, 'flattering.jsonl'), cases);
    const { conditions, evidence } = await judged({}, [data]);
    const beats = ({ conditions: all }: Pick<GateRun['verdict'], 'conditions'>) =>
      all.find(({ name }) => name === 'beats-random')!;
    expect(beats({ conditions }).value).toBeLessThanOrEqual(beats(run.verdict).value!);
    expect(beats({ conditions })).toMatchObject({
      note: expect.stringMatching(/^\d+ cases lack an outcome, which counts against the policy: /),
    });
    expect(evidence).toMatchObject({ routing_pays: false });
  });

  it('of cases that are escalated no label is needed: the walk ends at the same threshold', async () => {
    const artifact = readArtifact(world.artifact);
    const { probabilities } = await replayArtifact(artifact, world.cases, false);
    // above the step at which the walk stopped
    const escalated = predictedLosses(probabilities).map((score) =>
      Number(score > run.verdict.policy.threshold + 0.01),
    );
    const cases = world.cases.map((one, row) => (escalated[row] ? { ...one, outcomes: new Map() } : one));
    const { sealed, policy } = await judged({}, [writeCaseFile(path.join(world.home, 'kept.jsonl'), cases)]);
    expect(sealed.labelled).toBeLessThan(0.7 * sealed.n);
    expect(sealed.unknown_losses).toBe(0);
    expect(policy).toEqual(run.verdict.policy);
  });

  it('cases that the artifact has never seen are taken whole', async () => {
    const fresh = world.cases.slice(0, 500).map((one) => ({
      ...one,
      id: `new-${one.id}`,
      text: `Something else: ${one.text}`,
    }));
    const data = writeCaseFile(path.join(world.home, 'fresh.jsonl'), fresh);
    expect((await judged({}, [data])).sealed.n).toBe(500);
  });

  it('each language has a row, which counts the texts that the vocabulary cannot read', async () => {
    const chinese = ['水的化学式是什么？', '请把这句话改得更正式一点。', '用一句话解释光合作用。'];
    const rows = world.cases.slice(0, 500).map((one, i) => {
      const text = i < chinese.length ? chinese[i]! : `Something else: ${one.text}`;
      return { ...one, id: `new-${one.id}`, text, language: i < chinese.length ? 'zh' : 'en' };
    });
    const data = writeCaseFile(path.join(world.home, 'languages.jsonl'), rows);
    const { slices } = evidenceSchema.parse((await judged({}, [data])).evidence);
    const languages = slices.filter(({ name }) => name.startsWith('language: '));
    expect(languages.map(({ name, n }) => [name, n])).toEqual([
      ['language: en', 497],
      ['language: zh', 3],
    ]);
    expect(languages[0]).not.toHaveProperty('unreadable');
    expect(languages[1]).toMatchObject({ unreadable: 3, escalation_rate: 1, quality_loss: 0 });
  });

  it('refuses a hard case that was learned from', async () => {
    const { text } = world.cases[0]!;
    const file = path.join(world.home, 'hard.jsonl');
    const row = { id: 'h1', slice: 'proof', language: 'en', prompt: text, tier: 'strong', why: 'a test' };
    writeFileSync(file, `${JSON.stringify(row)}\n`);
    const changes = { hard_cases: { file: 'hard.jsonl', min_recall: 0.5 } };
    const refused = judged(changes);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/hard case "h1" was seen in training or calibration/),
    });
  });

  it.each(['0-1000', 'percent'])(
    'refuses the quality scale %s: the artifact learned from 0-1',
    async (scale) => {
      const { artifact, suite, data } = world;
      const reading = { qualityScale: parseQualityScale(scale) };
      await expect(runGate({ artifact, suite, data: [data], reading })).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringMatching(
          `scale ${scale} is another than that of made, .* on 0-1: .* convert them first`,
        ),
      });
      const same = { qualityScale: parseQualityScale('0-1') };
      const { verdict } = await runGate({ artifact, suite, data: [data], reading: same });
      expect(verdict.sealed).not.toHaveProperty('quality_scale');
    },
  );

  it.each([
    ['no file', [], /names no cases/],
    ['a file that is not there', ['/nowhere/cases.jsonl'], /nowhere/],
  ])('refuses %s', async (_, data, message) => {
    const asked = data.length === 0 ? undefined : data;
    const request = { artifact: world.artifact, suite: world.suite, ...(asked && { data: asked }) };
    await expect(runGate(request)).rejects.toThrow(message);
  });

  itLong('tiers stand for outcomes: of the everyday cases the sealed part counts', async () => {
    const file = path.join(PACKAGE_FOLDER, 'training-data/everyday-english.jsonl');
    const changes = { tier_cases: [file], slices: [] };
    const { sealed } = await judged(changes, []);
    expect(sealed.n).toBe(loadTierCases(file, { cheap: CHEAP, strong: STRONG }).length); // all unseen here
  });
});

describe('what is written', () => {
  itLong(
    'another look for hard cases that were edited after a look, and none for other white space',
    async () => {
      const artifact = copyOf(world.artifact);
      const file = path.join(world.home, 'edited.jsonl');
      const suite = writeSuite(world.home, { hard_cases: { file: 'edited.jsonl', min_recall: 0.01 } });
      const row = {
        id: 'h',
        slice: 'proof',
        language: 'en',
        prompt: 'Prove Fermat.',
        tier: 'strong',
        why: 'Hard.',
      };
      const lookWith = async (text: string) => {
        writeFileSync(file, text);
        const { verdict } = await runGate({ artifact, suite, data: [world.data], write: true });
        return verdict.looks.number;
      };
      expect(await lookWith(JSON.stringify(row))).toBe(1);
      expect(await lookWith(`\n${JSON.stringify(row, null, 0).replaceAll(':', ': ')}\n\n`)).toBe(1);
      expect(await lookWith(JSON.stringify({ ...row, tier: 'cheap' }))).toBe(2);
      expect(await lookWith(JSON.stringify(row)), 'the first again').toBe(1);
    },
  );

  it('nothing by default; a look, then the verdict that names it', async () => {
    const artifact = copyOf(world.artifact);
    const looks = path.join(artifact, '..', 'looks.jsonl');
    const request = { artifact, suite: world.suite, data: [world.data], issued: ISSUED };
    const { verdict: shown } = await runGate(request);
    expect(shown.looks).toMatchObject({ number: 1, record: null, earlier: [] });
    expect([existsSync(looks), readVerdict(artifact)]).toEqual([false, undefined]);

    const { verdict } = await runGate({ ...request, write: true });
    expect(readVerdict(artifact)).toEqual(verdict);
    expect(verdict.looks.record).toMatch(/^[0-9a-f]{64}$/);
    expect(verdict.policy).toEqual(shown.policy);
    expect((await runGate(request)).verdict).toEqual(verdict);
  });

  itLong(
    'a check repeats what is on record, and refuses what would be another look',
    async () => {
      const artifact = copyOf(world.artifact);
      const request = { artifact, suite: world.suite, data: [world.data], issued: ISSUED };
      const check = (changes: Partial<GateRequest> = {}) => runGate({ ...request, check: true, ...changes });
      const refused = (why: RegExp) => ({
        code: 'invalid-input',
        message: expect.stringMatching(why),
      });
      const unknown = refused(/nothing was gated that is what it is now\. Gate it without --check/);
      await expect(check()).rejects.toMatchObject(unknown);
      const { verdict } = await runGate({ ...request, write: true });
      expect((await check()).verdict).toEqual(verdict);
      const wider = writeSuite(world.home, { max_quality_loss: 0.09 });
      const before = readFileSync(path.join(artifact, '..', 'looks.jsonl'));
      await expect(check({ suite: wider })).rejects.toMatchObject(
        refused(
          /it was gated by made \(sha256 [0-9a-f]{12}\), and this suite has the sha256 [0-9a-f]{12}\. Gate/,
        ),
      );
      await expect(check({ write: true })).rejects.toMatchObject(refused(/A check writes nothing/));
      const some = path.join(world.home, 'half.jsonl');
      const lines = readFileSync(world.data, 'utf8').trim().split('\n');
      writeFileSync(some, lines.slice(0, lines.length / 2).join('\n'));
      await expect(check({ data: [some] })).rejects.toMatchObject(
        refused(/the cases, their labels or the plan of labels are others/),
      );
      expect(readFileSync(path.join(artifact, '..', 'looks.jsonl'))).toEqual(before);
      // once it is on record, it may be repeated
      const { verdict: second } = await runGate({ ...request, suite: wider, write: true });
      expect((await check({ suite: wider })).verdict).toEqual(second);
      expect((await check()).verdict.conditions).toEqual(verdict.conditions);
      expect((await check()).verdict.looks).toMatchObject({ number: 1, record: verdict.looks.record });
    },
    120_000,
  );

  it('the confidence of the suite, which that of a single look exceeds', async () => {
    const changes = { confidence: 0.5, looks: 10 };
    const suite = writeSuite(world.home, changes);
    const { verdict } = await runGate({ artifact: copyOf(world.artifact), suite, data: [world.data] });
    expect(verdict.looks.confidence).toBe(0.5);
    expect(verdict.conditions[0]!.confidence).toBeCloseTo(0.95, 12);
  });

  it('the second look at the same cases spends less, and reports say so', async () => {
    const artifact = copyOf(world.artifact);
    const request = { artifact, data: [world.data], issued: ISSUED };
    const first = await runGate({ ...request, suite: world.suite, write: true });
    const { verdict } = await runGate({
      ...request,
      suite: writeSuite(world.home, { max_quality_loss: 0.07 }),
    });
    expect(verdict.looks).toMatchObject({ number: 2, earlier: [{ artifact: 'made', verdict: 'PASS' }] });
    expect(verdict.looks.delta).toBeCloseTo(first.verdict.looks.delta / 4, 12);
    expect(verdict.conditions[0]!.confidence).toBeCloseTo(1 - verdict.looks.delta, 12);
    expect(terminalReport(verdict, { colour: false })).toMatch(/WARNING: Look 2 at these sealed cases/);
  });

  itLong('cases that are appended go on with the same bets, and are the same look', async () => {
    const artifact = copyOf(world.artifact);
    const half = writeCaseFile(
      path.join(world.home, 'first-half.jsonl'),
      world.cases.slice(0, world.cases.length / 2),
    );
    const request = { artifact, suite: world.suite, issued: ISSUED, write: true };
    const before = (await runGate({ ...request, data: [half] })).verdict;
    const after = (await runGate({ ...request, data: [world.data] })).verdict;
    expect(before.sealed.batches).toEqual([before.sealed.n]);
    expect(after.sealed.batches).toEqual([before.sealed.n, after.sealed.n - before.sealed.n]);
    expect(after.looks).toMatchObject({ number: 1, delta: before.looks.delta, earlier: [] });
    expect(after.looks.record).not.toBe(before.looks.record);
  });

  it('a record that is gone is noticed: the verdict names a look that nobody has', async () => {
    const artifact = copyOf(world.artifact);
    const request = { artifact, suite: world.suite, data: [world.data], issued: ISSUED };
    await runGate({ ...request, write: true });
    rmSync(path.join(artifact, '..', 'looks.jsonl'));
    await expect(runGate(request)).rejects.toMatchObject({
      code: 'invalid-artifact',
      message: expect.stringMatching(/rests on the look .*the record was cut, replaced or deleted/),
    });
  });
});
