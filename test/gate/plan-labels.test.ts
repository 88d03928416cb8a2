import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Case, canonicalRows, loadCases, parseCase, seenQuestions } from '../../evals/cases/index.ts';
import { gateDecisions, planLabels, replayArtifact, runGate } from '../../evals/gate/index.ts';
import {
  escalatedShare,
  hashKeys,
  type LabelPlan,
  readLabelPlan,
  repeatsInPool,
  sealedPlan,
} from '../../evals/gate/label-plan.ts';
import { retrain, train } from '../../evals/lifecycle/index.ts';
import { htmlReport } from '../../evals/report/html/page.ts';
import { terminalReport } from '../../evals/report/index.ts';
import { rungsAt } from '../../evals/threshold/index.ts';
import { readArtifact, writeArtifact } from '../../router/artifact/index.ts';
import { clopperPearsonInterval } from '../../router/statistics/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { LARGE, MEDIUM, madeUpRows, moreRows, SMALL, writeRows } from '../cli/made-up-data.ts';
import { itLong } from '../helpers/long-run.ts';
import { copyAs } from '../helpers/verdicts.ts';
import { CHEAP, copyOf, type GateWorld, gateWorld, STRONG, writeCaseFile, writeSuite } from './gate-world.ts';

const world = await gateWorld();
const artifact = readArtifact(world.artifact);
const known = seenQuestions(artifact.seenQuestions);
const isSeen = (one: Case) => known.sighting(one) !== undefined;
const unseen = world.cases.filter((one) => !isSeen(one));
const replay = await replayArtifact(artifact, unseen, false);
const scores = [...replay.probabilities[1]!].map((strong, row) => strong - replay.probabilities[0]![row]!);
const BASE = { artifact: world.artifact, n: 100, margin: 0.05, confidence: 0.95 };

let runs = 0;
const outFile = () => path.join(world.home, `to-label-${runs++}.jsonl`);
const plan = (over: object = {}) => planLabels({ ...BASE, prompts: [world.data], out: outFile(), ...over });
const rowsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a plan of labels', () => {
  let out: string;
  let made: LabelPlan;
  beforeAll(async () => {
    out = outFile();
    made = (await plan({ out, created: new Date('2026-01-02T03:04:05Z') })).plan;
  });

  it('leaves out what the artifact has seen, and has the limit where 1.5 margins are expected to be lost', () => {
    const meanBelow = (limit: number) =>
      scores.reduce((sum, score) => sum + (score <= limit ? score : 0), 0) / scores.length;
    expect(made.pool).toMatchObject({
      rows: unseen.length,
      excluded: { seen: world.cases.length - unseen.length, seen_group: 0 },
    });
    const step = Math.round(made.limit * 1000);
    expect(made.limit).toBe(step / 1000);
    expect(meanBelow(made.limit)).toBeGreaterThanOrEqual(0.075);
    expect(meanBelow((step - 1) / 1000)).toBeLessThan(0.075);
  });

  it('has the share of the pool below the limit with its exact interval', () => {
    const below = scores.filter((score) => score <= made.limit).length;
    const { low, high } = clopperPearsonInterval(below, unseen.length, 0.05);
    expect(made.below_limit).toMatchObject({
      rows: below,
      share: below / unseen.length,
      interval: { low, high, confidence: 0.95 },
    });
    expect(below).toBeGreaterThan(100);
    expect(below).toBeLessThan(unseen.length);
  });

  it('says what any threshold up to the limit escalates, as the policy does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: Math.round(made.limit * 1000) }), (step) => {
        const rungs = rungsAt(replay.probabilities, step / 1000);
        const escalated = rungs.filter((rung) => rung > 0).length;
        expect(escalatedShare(made, step / 1000)).toBeCloseTo(escalated / unseen.length, 12);
      }),
    );
    expect(() => escalatedShare(made, made.limit + 0.001)).toThrow(/above the limit/);
  });

  it('draws rows below the limit as they were, with an id and without outcomes', () => {
    const rows = rowsOf(out);
    expect(rows).toHaveLength(100);
    const byId = new Map(unseen.map((one, row) => [one.id, { one, score: scores[row]! }]));
    for (const { id, ...row } of rows) {
      const { one, score } = byId.get(id)!;
      expect(row).toEqual({
        prompt: one.text,
        task: one.task,
        language: 'en',
        label_plan: made.sha256,
        outcomes: {},
      });
      expect(score).toBeLessThanOrEqual(made.limit);
    }
    expect(new Set(rows.map(({ id }) => id)).size).toBe(100);
  });

  it('names the drawn keys by a hash that labelled rows can be checked by', async () => {
    const labelled = rowsOf(out).map((row) => ({ ...row, outcomes: { any: { quality: 1 } } }));
    const file = path.join(world.home, 'labelled.jsonl');
    writeFileSync(file, labelled.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { cases } = await loadCases([file]);
    expect(made.drawn).toEqual({ n: 100, keys_sha256: hashKeys(cases.map(({ key }) => key).reverse()) });
  });

  it('is read again as it was written', () => {
    expect(readLabelPlan(out.replace('.jsonl', '.plan.json'))).toEqual(made);
    expect(made).toMatchObject({
      artifact: { name: 'made', sha256: artifact.sha256 },
      margin: 0.05,
      limit_by: 'predicted-loss',
      created: '2026-01-02T03:04:05.000Z',
    });
  });

  it('depends on nothing but the prompts: not on their order, labels, ids or the number that is drawn', async () => {
    const shuffled = path.join(world.home, 'shuffled.csv');
    const cells = [...unseen].reverse().map(({ text, id }) => `${text},x-${id}`);
    writeFileSync(shuffled, `prompt,id\n${cells.join('\n')}\n`);
    const [other, more] = [outFile(), outFile()];
    expect((await plan({ prompts: [shuffled], out: other })).plan.drawn).toEqual(made.drawn);
    await plan({ out: more, n: 150 });
    const texts = rowsOf(out).map(({ prompt }) => prompt);
    expect(rowsOf(other).map(({ prompt }) => prompt)).toEqual(texts);
    expect(
      rowsOf(more)
        .map(({ prompt }) => prompt)
        .slice(0, 100),
    ).toEqual(texts);
  });

  it('takes each repeat of a prompt for a request of its own', async () => {
    const { one } = unseen
      .map((each, row) => ({ one: each, score: scores[row]! }))
      .sort((a, b) => a.score - b.score)[0]!;
    const file = path.join(world.home, 'repeats.jsonl');
    const lines = [...unseen, ...Array.from({ length: 400 }, () => one)];
    writeFileSync(file, lines.map(({ text }) => `${JSON.stringify({ prompt: text })}\n`).join(''));
    const repeated = outFile();
    const { plan: found, notes } = await plan({ prompts: [file], out: repeated });
    expect(found.pool.rows).toBe(unseen.length + 400);
    expect(found.pool.repeats!.texts).toBe((made.pool.repeats?.texts ?? 0) + 400);
    expect(repeatsInPool(found)).toMatch(
      new RegExp(`^400 of ${unseen.length + 400} prompts of the pool repeat the text of another`),
    );
    expect(notes).toContain(`${repeatsInPool(found)}.`);
    expect(repeatsInPool({ ...made, pool: { ...made.pool, repeats: { texts: 0, copies: 0 } } })).toBe(
      undefined,
    );
    const share = rowsOf(repeated).filter(({ prompt }) => prompt === one.text).length / 100;
    const expected = 401 / found.below_limit.rows;
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / 100));
    expect(new Set(rowsOf(repeated).map(({ id }) => id)).size).toBe(100);
  });

  it('takes all below the limit if there are fewer than asked for', async () => {
    const { plan: found } = await plan({ n: 100_000 });
    expect(found.drawn.n).toBe(found.below_limit.rows);
    expect(found.drawn.n).toBe(made.below_limit.rows);
  });

  it('takes a limit as given, also between two steps', async () => {
    const { plan: found } = await plan({ limit: 0.0505, n: 5 });
    expect(found).toMatchObject({ limit: 0.0505, limit_by: 'given' });
    expect(found.below_limit.rows).toBe(scores.filter((score) => score <= 0.0505).length);
    expect(escalatedShare(found, 0.0505)).toBe(escalatedShare(found, 0.05));
  });

  it('forecasts a smaller margin from more labels, and fewer labels than it takes for half the margin', async () => {
    const small = (await plan({ n: 50 })).forecast;
    const large = (await plan({ n: 300 })).forecast;
    expect(large.certifiedMargin).toBeLessThan(small.certifiedMargin);
    expect(large.qualityLoss).toBe(0.025);
    expect(large.certifiedMargin).toBeGreaterThan(0.025);
    expect(small.labelsNeeded).toBeGreaterThan(50);
    const enough = (await plan({ margin: 0.4, n: 300 })).forecast;
    expect(enough.labelsNeeded).toBe(300);
  });
});

describe('with middle rungs', () => {
  it('a prompt counts as escalated only where the strongest takes it', async () => {
    const folder = path.join(world.home, 'three');
    const rows = madeUpRows();
    const cases = rows.map((row) => parseCase(row, row.id));
    const rule = { rule: 'escalation-rate', target: 0.5 } as const;
    writeArtifact(
      folder,
      await train({ cases }, { name: 'three', ladder: [SMALL, MEDIUM, LARGE], rule, folds: 2 }),
    );
    const three = readArtifact(folder);
    const file = writeRows(path.dirname(folder), 'pool.jsonl', moreRows(0, 300));
    const { plan: found } = await plan({ artifact: folder, prompts: [file], limit: 0.9, n: 1 });
    const pool = moreRows(0, 300).map((row) => parseCase(row, row.id));
    const outcomes = new Map([SMALL, MEDIUM, LARGE].map((model) => [model, { quality: 1 }]));
    const scored = await replayArtifact(
      three,
      pool.map((one) => ({ ...one, outcomes })),
      false,
    );
    for (const threshold of [-0.05, 0, 0.05, 0.2, 0.5, 0.9]) {
      const strongest = rungsAt(scored.probabilities, threshold).filter((rung) => rung === 2).length;
      expect(escalatedShare(found, threshold)).toBeCloseTo(strongest / found.pool.rows, 12);
    }
  });
});

describe('no plan', () => {
  const file = (name: string, text: string) => {
    const place = path.join(world.home, name);
    writeFileSync(place, text);
    return place;
  };

  it.each([
    ['of an empty file', { prompts: [file('empty.jsonl', '')] }, 'invalid-input', /the file is empty/],
    [
      'of a header alone',
      { prompts: [file('header.csv', 'prompt\n')] },
      'invalid-input',
      /the file is empty/,
    ],
    ['of a file that is not there', { prompts: ['/nowhere.jsonl'] }, 'not-found', /no such file/],
    ['of no file', { prompts: [] }, 'invalid-input', /Name at least one/],
    [
      'of bad rows',
      { prompts: [file('bad.jsonl', '{"prompt":""}\n')] },
      'invalid-input',
      /1 of 1 rows .* were rejected/,
    ],
    [
      'below every score',
      { limit: -0.99 },
      'insufficient-data',
      /No prompt of \d+ has .* at most -0\.99: the smallest is/,
    ],
    ['of a limit of 1', { limit: 1 }, 'invalid-input', /at least -1 and below 1/],
    ['of a margin of 0', { margin: 0 }, 'invalid-input', /above 0/],
    ['of no prompt', { n: 0 }, 'invalid-input', /at least 1/],
    ['of half a prompt', { n: 1.5 }, 'invalid-input', /whole number/],
    ['into a table', { out: '/tmp/x.csv' }, 'invalid-input', /JSON Lines/],
    ['over its own prompts', { out: world.data }, 'invalid-input', /is one of the files/],
    [
      'with a column that is not there',
      { reading: { columns: new Map([['prompt', 'ask']]) } },
      'invalid-input',
      /no file has ask/,
    ],
    ['of a missing artifact', { artifact: '/nowhere' }, 'not-found', /no artifact folder/],
  ])('%s', async (_, over, code, message) => {
    await expect(plan(over)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('of questions that were all seen', async () => {
    const seen = world.cases.filter(isSeen).slice(0, 20);
    const prompts = [
      file('seen.jsonl', seen.map(({ text }) => `${JSON.stringify({ prompt: text })}\n`).join('')),
    ];
    await expect(plan({ prompts })).rejects.toMatchObject({
      code: 'insufficient-data',
      message: expect.stringMatching(/all 20 are of questions that made saw/),
    });
  });

  itLong('over one that is there, unless forced', async () => {
    const out = outFile();
    await plan({ out });
    await expect(plan({ out })).rejects.toThrow(/there already.*--force/);
    await plan({ out, force: true, n: 7 });
    expect(rowsOf(out)).toHaveLength(7);
  });

  it('over one that is there, of what is missing: the missing one is named', async () => {
    const out = outFile();
    await plan({ out, n: 7 });
    const missing = path.join(world.home, 'no-such-traffic.jsonl');
    await expect(plan({ out, prompts: [missing] })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(missing),
    });
    await expect(plan({ out, artifact: '/nowhere' })).rejects.toThrow(/no artifact folder/);
  });
});

describe('readLabelPlan', () => {
  let sound: LabelPlan;
  beforeAll(async () => {
    sound = (await plan()).plan;
  });

  const written = (value: unknown) => {
    const file = path.join(world.home, 'edited.plan.json');
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    return file;
  };

  it.each([
    ['not JSON', () => '{', /not valid JSON/],
    ['a list', () => [], /expected object/],
    ['of another version', () => ({ ...sound, schema_version: 2 }), /schema_version: /],
    ['with an unknown field', () => ({ ...sound, seed: 1 }), /seed/],
    ['without the drawn keys', () => ({ ...sound, drawn: { n: 1 } }), /drawn\.keys_sha256: /],
    ['of a limit of 2', () => ({ ...sound, limit: 2 }), /limit: /],
    [
      'of more drawn than below',
      () => ({ ...sound, drawn: { ...sound.drawn, n: sound.below_limit.rows + 1 } }),
      /drawn\.n: more than/,
    ],
    [
      'of another share',
      () => ({ ...sound, below_limit: { ...sound.below_limit, share: 0.1 } }),
      /below_limit\.share: must be \d+ of \d+/,
    ],
    [
      'with a count changed',
      () => ({ ...sound, below_limit: { ...sound.below_limit, counts: sound.below_limit.counts.slice(1) } }),
      /below_limit\.counts: they sum to/,
    ],
    [
      'of a larger pool and the share that goes with it',
      () => {
        const rows = 2 * sound.pool.rows;
        const share = sound.below_limit.rows / rows;
        return { ...sound, pool: { ...sound.pool, rows }, below_limit: { ...sound.below_limit, share } };
      },
      /sha256: it was changed after plan-labels wrote it/,
    ],
    ['of another limit', () => ({ ...sound, limit: sound.limit - 0.001 }), /sha256: it was changed/],
    [
      'without its hash',
      () => {
        const { sha256: _, ...unbound } = sound;
        return unbound;
      },
      /sha256: /,
    ],
    [
      'of a smaller pool',
      () => ({ ...sound, pool: { ...sound.pool, rows: 1 } }),
      /below_limit\.rows: more than the 1/,
    ],
  ])('refuses what is %s', (_, value, message) => {
    const file = written(value());
    expect(() => readLabelPlan(file)).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringMatching(message) }),
    );
  });

  it('says that there is no such file', () => {
    expect(() => readLabelPlan('/nowhere.plan.json')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

describe('a gate on labels that were drawn by a plan', () => {
  let gated: GateWorld;
  let planFile: string;
  let drawn: readonly Case[];

  const scoreOf = (one: Case) => scores[unseen.findIndex(({ id }) => id === one.id)]!;

  /** The rows of `to-label.jsonl`, labelled, but for the first few. */
  function labelled(name: string, unlabelled = 0): string {
    const cases = drawn.map((one, i) => (i < unlabelled ? { ...one, outcomes: new Map() } : one));
    return writeCaseFile(path.join(gated.home, name), cases);
  }

  beforeAll(async () => {
    gated = await gateWorld();
    const out = path.join(gated.home, 'to-label.jsonl');
    const pool = writeCaseFile(
      path.join(gated.home, 'pool.jsonl'),
      gated.cases.map((one) => ({ ...one, outcomes: new Map() })),
    );
    const request = {
      artifact: gated.artifact,
      prompts: [pool],
      out,
      n: 300,
      margin: 0.08,
      confidence: 0.95,
    };
    ({ planFile } = await planLabels(request));
    const byId = new Map(gated.cases.map((one) => [one.id, one]));
    const ids = readFileSync(out, 'utf8').trim().split('\n');
    drawn = ids.map((line) => byId.get((JSON.parse(line) as { id: string }).id)!);
  });

  const gate = (data: string, changes: object = {}) =>
    runGate({
      artifact: gated.artifact,
      suite: writeSuite(gated.home, { slices: [], ...changes }),
      data: [data],
      labelPlan: planFile,
    });

  it('speaks of all requests, ends at the limit, and does not judge what it cannot', async () => {
    const { verdict } = await gate(labelled('all.jsonl'));
    const plan = readLabelPlan(planFile);
    expect(verdict.sealed).toMatchObject({
      n: 300,
      labelled: 300,
      below_limit: { limit: plan.limit, pool: plan.pool.rows, share: plan.below_limit.share },
    });
    expect(verdict.walk.to).toBeCloseTo(plan.limit, 12);
    expect(verdict.policy.threshold).toBeLessThanOrEqual(plan.limit);
    const condition = (name: string) => verdict.conditions.find((one) => one.name === name);
    expect(condition('quality-loss')).toMatchObject({ n: 300, limits: { max: 0.08 } });
    expect(condition('escalation-rate')).toMatchObject({
      n: plan.pool.rows,
      value: escalatedShare(plan, verdict.policy.threshold),
    });
    expect(condition('beats-random')).toBeUndefined();
  });

  it('what takes the outcomes of both models on all requests is null, and a dash in the reports; the rest is of all', async () => {
    const { verdict } = await gate(labelled('all.jsonl'));
    const plan = readLabelPlan(planFile);
    const evidence = evidenceSchema.parse(verdict.evidence);
    const { rungs, baselines, escalation_rate: escalated } = evidence;
    expect(evidence).toMatchObject({
      quality: { cheap: null, strong: null, routed: null },
      ...{ pgr: null, apgr: null, apgr_interval: null, aiq: null, cpt50: null, cpt80: null },
      ...{ cost: null, mixing_hull: null, best_single: null, curves: [], slices: [], routing_pays: false },
    });
    expect(baselines.length).toBeGreaterThan(3);
    for (const { quality, cost_usd, apgr, cpt50, cpt80 } of baselines)
      expect([quality, cost_usd, apgr, cpt50, cpt80]).toEqual([null, null, null, null, null]);
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(evidence.quality_loss).toBeCloseTo(loss.value!, 12);
    expect(escalated).toBeCloseTo(escalatedShare(plan, verdict.policy.threshold), 12);
    rungs.forEach(({ share }, rung) => {
      expect(share).toBeCloseTo([1 - escalated, escalated][rung]!, 12);
    });
    const kept = drawn.filter(
      (_, i) => scoreOf(drawn[i]!) <= verdict.policy.threshold, // of the drawn ones a random sample
    );
    const right = kept.filter(({ outcomes }) => outcomes.get(CHEAP)!.quality === 1).length;
    expect(rungs[0]!.quality).toBeCloseTo(right / kept.length, 12);
    expect(rungs[1]).toMatchObject({ quality: null, cost_usd: null });
    const report = terminalReport(verdict, { colour: false });
    expect(report).toMatch(/^this policy +[\d.]+ % +– +– +– +– +–$/m);
    expect(report).toMatch(/^random +[\d.]+ % +– +– +– +– +–$/m);
    expect(report).toContain('A dash stands for what takes the outcomes of both ends of the ladder');
    for (const text of [report, htmlReport(verdict)]) expect(text).not.toMatch(/\bNaN\b|\bnull\b|undefined/);
  });

  it.each([
    [
      'under their name',
      (folder: string) => writeCaseFile(path.join(folder, 'to-label.jsonl'), drawn.slice(1)),
    ],
    ['under another name', (folder: string) => writeCaseFile(path.join(folder, 'labelled.jsonl'), drawn)],
  ])('without the plan beside them, %s: refused before a look is taken', async (_, write) => {
    const folder = mkdtempSync(path.join(gated.home, 'planned-'));
    const beside = path.join(folder, 'to-label.plan.json');
    cpSync(planFile, beside);
    writeFileSync(path.join(folder, 'torn.plan.json'), '{');
    const artifact = copyOf(gated.artifact);
    const request = { artifact, suite: writeSuite(gated.home, { slices: [] }) };
    await expect(runGate({ ...request, data: [write(folder)], write: true })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining(`Give --label-plan ${beside}, or cases that were drawn from all`),
    });
    expect(readdirSync(path.dirname(artifact))).toEqual([path.basename(artifact)]); // no record of looks
    const decisions = path.join(folder, 'chosen.jsonl');
    const chosen = drawn.map(({ id }) => `${JSON.stringify({ id, model: CHEAP })}\n`);
    writeFileSync(decisions, chosen.join(''));
    const { suite } = request;
    await expect(
      gateDecisions({ decisions, ladder: [CHEAP, STRONG], suite, data: [write(folder)], write: true }),
    ).rejects.toThrow('Give cases that were drawn from all requests.');
    expect(existsSync(path.join(folder, 'looks.jsonl'))).toBe(false);
    const out = path.join(folder, 'challenger');
    await expect(retrain({ champion: artifact, out, suite, data: [write(folder)] })).rejects.toThrow(
      'Give cases that were drawn from all requests.',
    );
    expect(existsSync(out)).toBe(false);
    const other = writeCaseFile(path.join(folder, 'traffic.jsonl'), gated.cases.slice(0, 900));
    await runGate({ ...request, data: [other] });
  });

  describe('whose rows name their plan', () => {
    /** Rows as plan-labels wrote them, with labels, far from their plan. */
    const named = (cases: readonly Case[], columns: (one: Case) => object = () => ({})) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-named-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const { sha256 } = readLabelPlan(planFile);
      const file = writeCaseFile(path.join(folder, 'renamed.jsonl'), cases);
      const rows = readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      const marked = rows.map((row, i) => ({ ...row, label_plan: sha256, ...columns(cases[i]!) }));
      writeFileSync(file, marked.map((row) => `${JSON.stringify(row)}\n`).join(''));
      return { file, sha256 };
    };
    const unplanned = (data: readonly string[]) =>
      runGate({ artifact: gated.artifact, suite: writeSuite(gated.home, { slices: [] }), data });

    itLong(
      'wherever it lies: without it they are refused, all of them, some of them, and among others',
      async () => {
        const { file, sha256 } = named(drawn);
        const others = writeCaseFile(
          path.join(path.dirname(file), 'others.jsonl'),
          gated.cases.slice(0, 500),
        );
        const some = named(drawn.slice(0, 50)).file;
        for (const data of [[file], [some], [others, some]]) {
          await expect(unplanned(data)).rejects.toMatchObject({
            code: 'invalid-input',
            message: expect.stringContaining(
              `Give --label-plan the plan with the sha256 ${sha256}, or cases`,
            ),
          });
        }
        expect((await gate(file)).verdict.sealed.below_limit?.plan_sha256).toBe(sha256);
      },
    );

    it('by another one they are not judged', async () => {
      const { file } = named(drawn, () => ({ label_plan: '0'.repeat(64) }));
      await expect(gate(file)).rejects.toThrow(/was drawn by another plan, with the sha256 0000.* Give that/);
    });

    it('the name outlives a conversion and a table', async () => {
      const { file, sha256 } = named(drawn.slice(0, 3));
      for await (const { row } of canonicalRows([file])) expect(row).toMatchObject({ label_plan: sha256 });
      const table = path.join(path.dirname(file), 'table.csv');
      const lines = drawn.slice(0, 3).map(({ text }) => `"${text}",${sha256},1\n`);
      writeFileSync(table, `prompt,label_plan,${CHEAP}.quality\n${lines.join('')}`);
      const { cases } = await loadCases([table], { models: [CHEAP] });
      expect(cases.map(({ labelPlan }) => labelPlan)).toEqual([sha256, sha256, sha256]);
    });
  });

  itLong('with another plan it is another look', async () => {
    const folder = mkdtempSync(path.join(gated.home, 'looks-'));
    const { sha256: _, ...content } = readLabelPlan(planFile);
    const otherPlan = path.join(folder, 'other.json');
    writeFileSync(otherPlan, JSON.stringify(sealedPlan({ ...content, created: '2020-01-01T00:00:00Z' })));
    const request = {
      artifact: copyAs(gated.artifact, path.join(folder, 'made')),
      suite: writeSuite(gated.home, { slices: [] }),
      data: [labelled('all.jsonl')],
      write: true,
    };
    const looks = [planFile, otherPlan, planFile];
    const numbers: number[] = [];
    for (const labelPlan of looks)
      numbers.push((await runGate({ ...request, labelPlan })).verdict.looks.number);
    expect(numbers).toEqual([1, 2, 1]);
  });

  it('counts a drawn row that nobody labelled as lost', async () => {
    const whole = (await gate(labelled('all.jsonl'))).verdict;
    const { verdict } = await gate(labelled('some.jsonl', 60));
    expect(verdict.sealed).toMatchObject({ n: 300, labelled: 240 });
    expect(verdict.policy.threshold).toBeLessThan(whole.policy.threshold);
  });

  it('refuses a row that is missing, slices, groups and the plan of another artifact', async () => {
    const fewer = writeCaseFile(path.join(gated.home, 'fewer.jsonl'), drawn.slice(1));
    await expect(gate(fewer)).rejects.toThrow(/the cases are not the 300 that were drawn/);
    const slices = [{ name: 'everyday', where: { task: 'everyday' }, max_quality_loss: 0.2 }];
    await expect(gate(labelled('all.jsonl'), { slices })).rejects.toThrow(
      /cannot prove slices, groups or sessions/,
    );
    const rows = readFileSync(labelled('all.jsonl'), 'utf8').trimEnd().split('\n');
    const grouped = path.join(gated.home, 'grouped.jsonl');
    writeFileSync(
      grouped,
      rows.map((row, i) => `${JSON.stringify({ ...JSON.parse(row), group: `g${i}` })}\n`).join(''),
    );
    await expect(gate(grouped, { sampling: 'groups' })).rejects.toThrow(/slices, groups or sessions/);
    const plan = JSON.parse(readFileSync(planFile, 'utf8')) as LabelPlan;
    const { sha256: _, ...content } = { ...plan, artifact: { ...plan.artifact, sha256: '0'.repeat(64) } };
    const other = sealedPlan(content);
    const file = path.join(gated.home, 'other.plan.json');
    writeFileSync(file, JSON.stringify(other));
    const request = { artifact: gated.artifact, suite: gated.suite, data: [labelled('all.jsonl')] };
    await expect(runGate({ ...request, labelPlan: file })).rejects.toThrow(/another artifact than made/);
  });
});
