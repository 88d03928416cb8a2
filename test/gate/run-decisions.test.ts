import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseQualityScale } from '../../evals/case-files/index.ts';
import { loadCases } from '../../evals/cases/index.ts';
import { gateDecisions, replayArtifact, runGate } from '../../evals/gate/index.ts';
import { rungsAt } from '../../evals/threshold/index.ts';
import {
  decisionsVerdictSchema,
  readArtifact,
  sha256OfJson,
  standingInFolder,
  verdictSchema,
} from '../../router/artifact/index.ts';
import { evidenceSchema } from '../../router/verdict-report/index.ts';
import { itLong, scaled } from '../helpers/long-run.ts';
import { copyAs } from '../helpers/verdicts.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

const LADDER = ['tiny-cheap-1', 'tiny-strong-1'];
const ISSUED = new Date('2026-06-01T00:00:00Z');

let tiny: TinyGating;
/** What the artifact chooses for each prompt of the files of tinyGating, in their order. */
let chosen: { readonly prompt: string; readonly model: string }[];

beforeAll(async () => {
  tiny = await tinyGating();
  const { cases } = await loadCases([tiny.passing]);
  const artifact = readArtifact(tiny.artifact);
  const { probabilities } = await replayArtifact(artifact, cases, false);
  const rungs = rungsAt(probabilities, artifact.manifest.policy.threshold);
  chosen = cases.map(({ text }, i) => ({ prompt: text, model: LADDER[rungs[i]!]! }));
});

/** A folder with the decisions, a suite and labelled cases. */
function place(decisions: readonly object[], suite: string = readFileSync(tiny.suite, 'utf8')) {
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-gate-decisions-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const write = (name: string, text: string) => {
    writeFileSync(path.join(home, name), text);
    return path.join(home, name);
  };
  return {
    home,
    write,
    decisions: write('chosen.jsonl', lines(decisions)),
    suite: write('suite.yaml', suite),
    looks: path.join(home, 'looks.jsonl'),
  };
}

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const SUITE = `name: rich
max_quality_loss: 0.15
escalation_rate: { min: 0.1, max: 0.9 }
silent_downgrades: { margin: 0.3, max_rate: 0.2 }
slices: [{ name: made, where: { task: made-up }, max_quality_loss: 0.2 }]
`;

describe('decisions that an artifact made', () => {
  it('get the verdict of the artifact at that threshold, whatever the outcomes', async () => {
    const quality = fc.constantFrom(0, 0.25, 1, null);
    const n = chosen.length;
    const outcomes = fc.array(fc.tuple(quality, quality), { minLength: n, maxLength: n });
    const { home, write, suite, decisions } = place(chosen, SUITE);
    await fc.assert(
      fc.asyncProperty(outcomes, async (pairs) => {
        const rows = chosen.map(({ prompt }, i) => {
          const given = LADDER.flatMap((model, rung) => {
            const one = pairs[i]![rung]!;
            return one === null ? [] : [[model, { quality: one }]];
          });
          return { prompt, task: 'made-up', outcomes: Object.fromEntries(given) };
        });
        const data = [write('cases.jsonl', lines(rows))];
        const ofArtifact = await runGate({ artifact: tiny.artifact, suite, data, issued: ISSUED });
        const { verdict } = await gateDecisions({ decisions, ladder: LADDER, suite, data, issued: ISSUED });
        expect(verdict.conditions).toEqual(ofArtifact.verdict.conditions);
        expect(verdict.verdict).toBe(ofArtifact.verdict.verdict);
        expect(verdict.sealed).toEqual(ofArtifact.verdict.sealed);
        expect(verdict.looks).toEqual(ofArtifact.verdict.looks);
      }),
      { numRuns: scaled(6) },
    );
    expect(existsSync(path.join(home, 'looks.jsonl'))).toBe(false);
  }, 120_000);

  it.each([
    ['PASS', 'passing'],
    ['FAIL', 'failing'],
  ] as const)('are a %s where it is', async (word, data) => {
    const { decisions, suite } = place(chosen);
    const { verdict } = await gateDecisions({ decisions, ladder: LADDER, suite, data: [tiny[data]] });
    expect(verdict.verdict).toBe(word);
  });
});

describe('another quality scale', () => {
  itLong('makes other labels of the same file: the next look, and the verdict says which it is', async () => {
    const { decisions, suite, write, looks } = place(chosen);
    const rows = chosen.map(({ prompt }, i) => ({
      prompt,
      outcomes: { [LADDER[0]!]: { quality: 100 - (i % 90) }, [LADDER[1]!]: { quality: 100 } },
    }));
    const data = [write('graded.jsonl', lines(rows))];
    const gated = async (scale?: string) => {
      const reading = scale === undefined ? {} : { qualityScale: parseQualityScale(scale) };
      const { verdict } = await gateDecisions({
        decisions,
        ladder: LADDER,
        suite,
        data,
        reading,
        looks,
        write: true,
      });
      return [verdict.looks.number, verdict.sealed.quality_scale];
    };
    expect(await gated()).toEqual([1, '0-100']);
    expect(await gated('0-100')).toEqual([1, '0-100']);
    expect(await gated('0-1000')).toEqual([2, '0-1000']);
  });
});

describe('a verdict on decisions', () => {
  it('names the decisions and no artifact, and nothing takes it for one of an artifact', async () => {
    const { decisions, suite } = place(chosen);
    const { verdict } = await gateDecisions({ decisions, ladder: LADDER, suite, data: [tiny.passing] });
    const { sha256, ...content } = decisionsVerdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
    expect(sha256).toBe(sha256OfJson(content));
    expect(evidenceSchema.safeParse(content.evidence).error).toBeUndefined();
    expect(content.decisions).toMatchObject({
      file: 'chosen.jsonl',
      form: 'plimsoll',
      rows: chosen.length,
      ladder: LADDER,
    });
    expect(Object.keys(content)).not.toContain('artifact');
    expect(verdictSchema.safeParse(verdict).success).toBe(false);
    const folder = copyAs(tiny.artifact, path.join(path.dirname(decisions), 'mine'));
    const artifact = readArtifact(folder);
    const { name, version, threshold } = artifact.manifest.policy;
    const bound = {
      artifact: { name: 'mine', sha256: artifact.sha256 },
      policy: { name, version, threshold },
      walk: { from: threshold, to: threshold, steps: 1, stopped_by: null },
      valid_for_days: 90,
    };
    for (const forged of [verdict, { ...verdict, ...bound }]) {
      const { sha256: _, ...rest } = forged;
      const text = JSON.stringify({ ...rest, sha256: sha256OfJson(rest) });
      writeFileSync(path.join(folder, 'verdict.json'), text);
      expect(standingInFolder(artifact, new Date())).toMatchObject({
        kind: 'none',
        reason: 'unreadable',
        why: expect.stringMatching(/decisions that were made elsewhere.* nothing serves by it/),
      });
    }
  });

  it('has no figure of a classifier, and says whether the choice beats a random one', async () => {
    const { decisions, suite } = place(chosen);
    const gated = (data: string) => gateDecisions({ decisions, ladder: LADDER, suite, data: [data] });
    const good = await gated(tiny.passing);
    const evidence = evidenceSchema.parse(good.verdict.evidence);
    expect(evidence).toMatchObject({ apgr: null, aiq: null, cpt80: null, heads: [], routing_pays: true });
    expect(evidence.curves.map(({ name }) => name)).not.toContain('learned');
    expect(evidence.conclusion).toMatch(
      /^The decisions are better than a random choice .*: lower bound \+0\.\d{4}/,
    );
    const bad = evidenceSchema.parse((await gated(tiny.failing)).verdict.evidence);
    expect(bad.silent_downgrades.worst[0]).toMatchObject({ predicted_loss: null });
    expect(bad.conclusion).toMatch(/^The decisions are not shown to be better/);
  });

  it('says what of the suite it could not judge, how the file was read, and what nobody knows', async () => {
    const hard = [
      { id: 'h-0', slice: 'proof', language: 'en', prompt: 'Prove it.', tier: 'strong', why: 'A proof.' },
      { id: 'h-1', slice: 'proof', language: 'en', prompt: 'Say it.', tier: 'cheap', why: 'No proof.' },
    ];
    const suiteText = `${SUITE}max_ece: 0.2\nflip_rate: { max: 0.1 }\nhard_cases: { file: hard.jsonl, min_recall: 0, min_kept_cheap: 0 }\n`;
    const { decisions, suite, write } = place(chosen, suiteText);
    write('hard.jsonl', lines(hard));
    const request = { ladder: LADDER, suite, data: [tiny.passing] };
    const without = await gateDecisions({ ...request, decisions });
    expect(without.notes.join('\n')).toMatch(/chosen\.jsonl: \d+ rows, read as rows of id, key or prompt/);
    expect(without.notes.join('\n')).toMatch(/Not judged: max_ece and flip_rate of the suite/);
    expect(without.notes.join('\n')).toMatch(/Not judged: hard_cases of the suite/);
    expect(without.notes.join('\n')).toMatch(/Whether the router has learned from these cases is not known/);
    const names = (run: typeof without) => run.verdict.conditions.map(({ name }) => name);
    expect(names(without).join()).not.toMatch(/calibration|flip-rate|hard-cases/);
    const both = [...chosen, { id: 'h-0', model: LADDER[1] }, { prompt: 'Say it.', model: LADDER[0] }];
    const withHard = await gateDecisions({ ...request, decisions: write('both.jsonl', lines(both)) });
    expect(names(withHard)).toEqual(expect.arrayContaining(['hard-cases/recall', 'hard-cases/kept-cheap']));
    expect(withHard.verdict.evidence).toMatchObject({ hard_cases: { n: 2, recall: 1, kept_cheap: 1 } });
    expect(withHard.notes.join('\n')).not.toMatch(/hard_cases/);
  });

  it('counts a case that is kept cheap without an outcome as a loss of 1, and one that is escalated as none', async () => {
    const { decisions, suite, write } = place(chosen);
    const rows = readFileSync(tiny.passing, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const lossWithout = async (model: string) => {
      const at = chosen.findIndex((one) => one.model === model);
      const changed = rows.map((row, i) => (i === at ? { ...row, outcomes: {} } : row));
      const data = [write(`${model}.jsonl`, lines(changed))];
      const { verdict } = await gateDecisions({ decisions, ladder: LADDER, suite, data });
      return { ...verdict.conditions[0]!, unknown: verdict.sealed.unknown_losses };
    };
    const whole = await gateDecisions({ decisions, ladder: LADDER, suite, data: [tiny.passing] });
    const before = whole.verdict.conditions[0]!.value!;
    const kept = await lossWithout('tiny-cheap-1');
    expect(kept.unknown).toBe(1);
    expect(kept.value! - before).toBeCloseTo(1 / rows.length, 10);
    expect(await lossWithout('tiny-strong-1')).toMatchObject({ unknown: 0, value: before });
  });

  it('judges more than two rungs', async () => {
    const models = ['a', 'b', 'c'];
    const rows = Array.from({ length: 300 }, (_, i) => ({
      id: `m-${i}`,
      prompt: `Question number ${i} of many`,
      outcomes: {
        a: { quality: i % 3 === 0 ? 1 : 0 },
        b: { quality: i % 3 === 2 ? 0 : 1 },
        c: { quality: 1 },
      },
    }));
    const picked = rows.map(({ id }, i) => ({ id, model: models[i % 3] }));
    const { decisions, suite, write } = place(picked, SUITE.replace(/slices.*\n/, ''));
    const data = [write('three.jsonl', lines(rows))];
    const { verdict } = await gateDecisions({ decisions, ladder: models, suite, data });
    expect(verdict.conditions[0]).toMatchObject({ name: 'quality-loss', verdict: 'PASS', value: 0 });
    const shifted = rows.map(({ id }, i) => ({ id, model: models[(i + 2) % 3] }));
    const worse = write('shifted.jsonl', lines(shifted));
    const other = await gateDecisions({ decisions: worse, ladder: models, suite, data });
    expect(other.verdict.conditions[0]!.value).toBeCloseTo(2 / 3, 10); // c is right, a and b are wrong
  });
});

describe('looks at decisions', () => {
  const gated = (at: ReturnType<typeof place>, decisions: string, more: object = {}) =>
    gateDecisions({
      decisions,
      ladder: LADDER,
      suite: at.suite,
      data: [tiny.passing],
      issued: ISSUED,
      write: true,
      ...more,
    });

  it('are on record beside the file; the same decisions in another order and form are the same look', async () => {
    const at = place(chosen);
    const first = await gated(at, at.decisions);
    expect(first.verdict.looks).toMatchObject({ number: 1, earlier: [] });
    const record = readFileSync(at.looks, 'utf8');
    expect(record.trim().split('\n')).toHaveLength(2);
    const reordered = chosen
      .toReversed()
      .map(({ prompt, model }) => `${JSON.stringify(prompt)},${model}\n`)
      .join('');
    const table = at.write('table.csv', `prompt,model\n${reordered}`);
    const again = await gated(at, table);
    expect(again.verdict.looks).toMatchObject({ number: 1, record: first.verdict.looks.record });
    expect(again.verdict.decisions.sha256).toBe(first.verdict.decisions.sha256);
    expect(again.verdict.conditions).toEqual(first.verdict.conditions);
    expect(readFileSync(at.looks, 'utf8')).toBe(record);
  });

  itLong('other decisions on the same cases are the next look, with less error to spend', async () => {
    const at = place(chosen);
    const first = await gated(at, at.decisions);
    const changed = chosen.map((row, i) => (i === 0 ? { ...row, model: otherThan(row.model) } : row));
    const second = await gated(at, at.write('second.jsonl', lines(changed)));
    const { looks } = second.verdict;
    expect(looks.number).toBe(2);
    expect(looks.delta).toBeCloseTo(first.verdict.looks.delta / 4, 12);
    expect(looks.earlier).toMatchObject([
      {
        artifact: 'chosen.jsonl',
        policy: { name: 'decisions', version: 1 },
        verdict: 'PASS',
        threshold: null,
      },
    ]);
    const third = await gated(at, at.write('third.jsonl', lines(chosen)), {
      suite: at.write('b.yaml', SUITE),
    });
    expect(third.verdict.looks.number).toBe(3);
  });

  it('are kept in the file that is named; without it none is written', async () => {
    const at = place(chosen);
    const looks = path.join(at.home, 'own-looks.jsonl');
    const shown = await gated(at, at.decisions, { looks, write: false });
    expect(shown.verdict.looks).toMatchObject({ number: 1, record: null, head: null });
    expect(existsSync(looks)).toBe(false);
    await gated(at, at.decisions, { looks });
    expect([existsSync(looks), existsSync(at.looks)]).toEqual([true, false]);
  });

  itLong(
    'from two folders are on two records, and a note says so; one record for both counts both',
    async () => {
      const [at, elsewhere] = [place(chosen), place(chosen.map((row) => ({ ...row, model: LADDER[1]! })))];
      const said = ({ notes }: { notes: readonly string[] }) =>
        notes.filter((note) => note.includes('other folders are not on this record'));
      for (const one of [at, elsewhere]) {
        const run = await gated(one, one.decisions);
        expect(run.verdict.looks.number).toBe(1);
        expect(said(run)).toEqual([expect.stringContaining(one.looks)]);
      }
      const both = await gated(elsewhere, elsewhere.decisions, { looks: at.looks });
      expect(both.verdict.looks.number).toBe(2);
      expect(said(both)).toEqual([]);
    },
  );

  it('a check repeats a look that is on record, and no other', async () => {
    const at = place(chosen);
    const check = { write: false, check: true };
    const refused = (why: RegExp) => ({ code: 'invalid-input', message: expect.stringMatching(why) });
    await expect(gated(at, at.decisions, check)).rejects.toMatchObject(
      refused(
        /looks\.jsonl has none of chosen\.jsonl by this suite at these cases: nothing was gated that is what it is now/,
      ),
    );
    const { verdict } = await gated(at, at.decisions);
    expect((await gated(at, at.decisions, check)).verdict).toEqual(verdict);
    const other = at.write('other.jsonl', lines(chosen.map((row) => ({ ...row, model: LADDER[0]! }))));
    await expect(gated(at, other, check)).rejects.toMatchObject(refused(/nothing was gated/));
    await expect(gated(at, at.decisions, { ...check, write: true })).rejects.toMatchObject(
      refused(/A check writes nothing/),
    );
  });

  it('an earlier verdict in the place of the new one names its look: a record that was moved is noticed', async () => {
    const at = place(chosen);
    const out = path.join(at.home, 'verdict.json');
    const { verdict } = await gated(at, at.decisions, { out });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(verdict);
    expect((await gated(at, at.decisions, { out })).verdict).toEqual(verdict);
    const looks = path.join(at.home, 'moved.jsonl');
    renameSync(at.looks, looks);
    const before = readFileSync(out, 'utf8');
    await expect(gated(at, at.decisions, { out })).rejects.toMatchObject({
      code: 'invalid-artifact',
      message: expect.stringMatching(/verdict\.json rests on the look .*moved.*or name it by --looks/),
    });
    expect([existsSync(at.looks), readFileSync(out, 'utf8')]).toEqual([false, before]);
    expect((await gated(at, at.decisions, { out, looks })).verdict).toEqual(verdict);
  });

  it('a record that was cut at its end is noticed, though the last verdict repeats the first look', async () => {
    const at = place(chosen);
    const out = path.join(at.home, 'verdict.json');
    await gated(at, at.decisions);
    const first = readFileSync(at.looks);
    const stricter = at.write('stricter.yaml', SUITE);
    await gateDecisions({
      decisions: at.decisions,
      ladder: LADDER,
      suite: stricter,
      data: [tiny.passing],
      write: true,
    });
    expect((await gated(at, at.decisions, { out })).verdict.looks.number).toBe(1);
    writeFileSync(at.looks, first);
    await expect(gated(at, at.decisions, { out })).rejects.toThrow(/rests on the look .* cut/);
  });

  itLong('reports of other looks beside the record do not stand in its way', async () => {
    const at = place(chosen);
    const { verdict } = await gated(at, at.decisions);
    mkdirSync(path.join(at.home, 'reports'));
    at.write('reports/verdict.json', JSON.stringify(verdict));
    const looks = path.join(at.home, 'own-looks.jsonl');
    expect((await gated(at, at.decisions, { looks })).verdict.looks.number).toBe(1);
    const artifact = copyAs(tiny.artifact, path.join(at.home, 'elsewhere', 'mine'));
    mkdirSync(path.join(at.home, 'elsewhere', 'reports'));
    at.write('elsewhere/reports/verdict.json', JSON.stringify(verdict));
    const run = await runGate({ artifact, suite: at.suite, data: [tiny.passing], write: true });
    expect(run.verdict.looks.number).toBe(1);
  });

  it('a damaged record is refused', async () => {
    const at = place(chosen);
    await gated(at, at.decisions);
    const [first, ...others] = readFileSync(at.looks, 'utf8').split('\n');
    at.write('looks.jsonl', [first!.replace('"look":1', '"look":2'), ...others].join('\n'));
    await expect(gated(at, at.decisions)).rejects.toThrow(
      /looks\.jsonl, line 2: it does not follow the lines before/,
    );
  });
});

function otherThan(model: string): string {
  return LADDER.find((one) => one !== model)!;
}
