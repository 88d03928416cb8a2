import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Case } from '../../evals/cases/index.ts';
import { heldOutCases, replayArtifact, runGate, thinnedRows } from '../../evals/gate/index.ts';
import { htmlReport } from '../../evals/report/html/page.ts';
import { terminalReport } from '../../evals/report/index.ts';
import { type Bets, LossBets, lossPValue, lossUpperBound, meanOfBets } from '../../evals/threshold/index.ts';
import { readArtifact, type Verdict, verdictSchema } from '../../router/artifact/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import { CHEAP, copyOf, type GateWorld, gateWorld, STRONG, writeSuite } from './gate-world.ts';

const DELTA = 0.05;

function weightedBets(weights: Float64Array, largest: number): Bets {
  const n = weights.length;
  return { rows: Uint32Array.from({ length: n }, (_, i) => i), weights, largestUnit: largest, batches: [n] };
}

describe('bets of weighted cases', () => {
  const random = seededRandom(4);
  const losses = Float64Array.from({ length: 600 }, () => Number(random() < 0.04));

  it('of one weight, the largest, are those of cases without weights', () => {
    const n = losses.length;
    const plain: Bets = { rows: Uint32Array.from({ length: n }, (_, i) => i), largestUnit: 1, batches: [n] };
    const weighted = weightedBets(new Float64Array(n).fill(7), 7);
    expect(lossUpperBound(weighted, losses, DELTA)).toBeCloseTo(lossUpperBound(plain, losses, DELTA), 2);
    const limit = { max: 0.06, delta: DELTA };
    expect(lossPValue(weighted, losses, limit)).toBeCloseTo(lossPValue(plain, losses, limit), 6);
  });

  it('prove less the larger the largest weight may be', () => {
    const weights = Float64Array.from(losses, (_, i) => (i % 2 ? 1 : 4));
    const bounds = [4, 8, 40].map((largest) => lossUpperBound(weightedBets(weights, largest), losses, DELTA));
    expect(bounds[0]).toBeGreaterThan(meanOfBets(weightedBets(weights, 4), losses));
    expect(bounds[1]).toBeGreaterThanOrEqual(bounds[0]!);
    expect(bounds[2]).toBeGreaterThan(bounds[1]!);
  });

  it('are the same whether the losses move one by one or are given', () => {
    const weights = Float64Array.from(losses, (_, i) => 1 + (i % 3));
    const quality = [losses.map((loss) => 1 - loss), new Float64Array(losses.length).fill(1)];
    const bets = weightedBets(weights, 3);
    const moved = new LossBets(bets, quality);
    for (const row of losses.keys()) moved.move(row, 1, 0);
    const limit = { max: 0.07, delta: DELTA };
    expect(moved.pValue(limit)).toBeCloseTo(lossPValue(bets, losses, limit), 10);
  });

  it('pass a weighted mean at the margin in at most delta of the draws; without weights the same draws pass it always', () => {
    // one in ten requests is of a kind that loses .3, and is drawn with a quarter of the probability of the others, which lose nothing
    const margin = 0.03;
    let [passed, unweighted] = [0, 0];
    const draws = 400;
    for (let draw = 0; draw < draws; draw++) {
      const rare = Float64Array.from({ length: 1_500 }, () => Number(random() < 0.1 / 4 / (0.1 / 4 + 0.9)));
      const found = rare.map((isRare) => Number(isRare === 1 && random() < 0.3));
      const bets = weightedBets(
        rare.map((isRare) => (isRare === 1 ? 4 : 1)),
        4,
      );
      const limit = { max: margin * 0.999, delta: DELTA };
      passed += Number(lossPValue(bets, found, limit) <= DELTA);
      unweighted += Number(
        lossPValue({ ...bets, weights: new Float64Array(1_500).fill(4) }, found, limit) <= DELTA,
      );
    }
    expect(passed / draws).toBeLessThanOrEqual(DELTA);
    expect(unweighted / draws).toBeGreaterThan(0.95);
  });
});

describe('thinned rows', () => {
  it('are kept in proportion to their weights, each repeat of a question by itself', () => {
    const weights = Float64Array.from({ length: 6_000 }, (_, i) => (i % 2 ? 1 : 4));
    const isKept = thinnedRows(
      Array.from(weights, (_, i) => `k${i % 1_000}`),
      weights,
    );
    const kept = [...weights.keys()].filter(isKept);
    expect(kept.filter((row) => row % 2 === 0)).toHaveLength(3_000);
    expect(kept.length - 3_000).toBeGreaterThan(650);
    expect(kept.length - 3_000).toBeLessThan(850);
  });
});

describe('a gate over cases that were drawn with different probabilities', () => {
  let world: GateWorld;
  let files = 0;
  beforeAll(async () => {
    world = await gateWorld();
  });
  const SUITE = {
    max_quality_loss: 0.12,
    silent_downgrades: undefined,
    slices: [],
    flip_rate: undefined,
    max_ece: undefined,
  };

  const probabilityOf = ({ task }: Case) => (task === 'everyday' ? 0.25 : 0.5);

  async function gated(fields: (one: Case, i: number) => object, suite: object = {}): Promise<Verdict> {
    const file = path.join(world.home, `weighted-${files++}.jsonl`);
    const rows = world.cases.map((one, i) =>
      JSON.stringify({
        id: one.id,
        prompt: one.text,
        task: one.task,
        outcomes: Object.fromEntries([...one.outcomes].map(([model, { quality }]) => [model, { quality }])),
        ...fields(one, i),
      }),
    );
    writeFileSync(file, rows.join('\n'));
    const { verdict } = await runGate({
      artifact: world.artifact,
      suite: writeSuite(world.home, { ...SUITE, ...suite }),
      data: [file],
    });
    return verdictSchema.parse(JSON.parse(JSON.stringify(verdict)));
  }

  /** Mean loss of the held-out cases at a threshold, each weighted by 1 / its probability. */
  async function weightedLoss(threshold: number): Promise<number> {
    const artifact = readArtifact(world.artifact);
    const { heldOut } = heldOutCases(world.cases, artifact);
    const { probabilities } = await replayArtifact(artifact, heldOut, false);
    let [lost, total] = [0, 0];
    for (const [row, one] of heldOut.entries()) {
      const score = predictedLoss(
        probabilities.map((column) => column[row]!),
        0,
      );
      const [cheap, strong] = [CHEAP, STRONG].map((model) => one.outcomes.get(model)!.quality);
      const weight = 1 / probabilityOf(one);
      lost += score <= threshold ? weight * (strong! - cheap!) : 0;
      total += weight;
    }
    return lost / total;
  }

  it('weighs each by 1 / its probability', async () => {
    const verdict = await gated((one) => ({ sampling_probability: probabilityOf(one) }), {
      largest_weight: 4,
    });
    const { weights, n } = verdict.sealed;
    expect(weights).toMatchObject({ from: 2, to: 4, largest: 4 });
    expect(weights!.described).toBeGreaterThan(n / 2);
    expect(weights!.described).toBeLessThan(n);
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(loss.verdict).toBe('PASS');
    const plain = await gated(() => ({}));
    const plainLoss = plain.conditions.find(({ name }) => name === 'quality-loss')!;
    // easy cases weigh more than in the sample: more of the traffic can stay cheap
    expect(loss.value).not.toBeCloseTo(plainLoss.value!, 3);
    expect(loss.value).toBeCloseTo(await weightedLoss(verdict.policy.threshold), 10);
    const once = verdict.conditions.find(({ name }) => name === 'escalation-rate')!;
    expect(once.n).toBe(weights!.described);
    for (const report of [terminalReport(verdict, { colour: false }), htmlReport(verdict)])
      expect(report).toContain(
        `cases stand for 2 to 4 requests each (at most 4): the promise is weighted, and all other figures are about ${weights!.described} of them`,
      );
  });

  it('whose probabilities are equal is the gate without them, but for the hashes of cases and files', async () => {
    const [equal, plain] = [await gated(() => ({ sampling_probability: 0.02 })), await gated(() => ({}))];
    expect(equal.conditions).toEqual(plain.conditions);
    expect(equal.sealed.weights).toBeUndefined();
  });

  it('needs a largest weight that the suite states, and refuses what is above it', async () => {
    const drawn = (one: Case) => ({ sampling_probability: probabilityOf(one) });
    await expect(gated(drawn)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(
        /stand for different numbers of requests, 2 to 4 each .*Write largest_weight into the suite/,
      ),
    });
    await expect(gated(drawn, { largest_weight: 3 })).rejects.toThrow(
      /The case "case-\d+" has a weight of 4, and the suite says that the largest is 3/,
    );
    await expect(gated(drawn, { largest_weight: 0 })).rejects.toMatchObject({ code: 'invalid-config' });
  });

  it('takes no weight of 0, below it, or none at all, and says where it is', async () => {
    for (const weight of [0, -2, 'NaN'])
      await expect(gated((_, i) => (i === 6 ? { weight } : {}), { largest_weight: 4 })).rejects.toThrow(
        /\.jsonl:7: weight: must be a finite number above 0/,
      );
  });

  it('that make a policy pass which would not without them say so', async () => {
    const isLost = ({ outcomes }: Case) => outcomes.get(CHEAP)!.quality < outcomes.get(STRONG)!.quality;
    const verdict = await gated((one) => ({ weight: isLost(one) ? 1 : 20 }), { largest_weight: 20 });
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(loss.verdict).toBe('PASS');
    const once = /the PASS rests on the weights: if each case counts once the mean loss is (0\.\d{4})\./;
    expect(Number(once.exec(loss.note!)![1])).toBeGreaterThan(2 * loss.value!);
  });

  it('that comes after cases without weights makes other bets of these, and so the next look', async () => {
    const artifact = copyOf(world.artifact);
    const looks = async (rows: readonly object[]) => {
      const file = path.join(world.home, `appended-${files++}.jsonl`);
      writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
      const suite = writeSuite(world.home, { ...SUITE, largest_weight: 4 });
      const { verdict } = await runGate({ artifact, suite, data: [file], write: true });
      return [verdict.looks.number, verdict.sealed.batches.length];
    };
    const rows = world.cases.map(({ id, text, outcomes }) => ({
      id,
      prompt: text,
      outcomes: Object.fromEntries(outcomes),
    }));
    const [first, second, third] = [rows.slice(0, -400), rows.slice(-400, -200), rows.slice(-200)];
    expect(await looks(first)).toEqual([1, 1]);
    expect(await looks([...first, ...second])).toEqual([1, 2]);
    expect(await looks([...first, ...second, ...third.map((row) => ({ ...row, weight: 4 }))])).toEqual([
      2, 1,
    ]);
  });

  it('of groups counts a group by what its cases weigh together, and of a judge the mistakes too', async () => {
    const outcomes = ({ outcomes: all }: Case, i: number) =>
      Object.fromEntries(
        [...all].map(([model, { quality }]) => [
          model,
          i % 2
            ? { quality, label_source: 'judge' }
            : { quality, label_source: 'human', judged_quality: quality },
        ]),
      );
    const verdict = await gated(
      (one, i) => ({
        sampling_probability: probabilityOf(one),
        group: `g${i}`,
        outcomes: outcomes(one, i),
      }),
      {
        largest_weight: 4,
        largest_group: 1,
        sampling: 'groups',
        accept_labels: ['judge', 'human'],
        max_quality_loss: 0.3,
      },
    );
    const loss = verdict.conditions.find(({ name }) => name === 'quality-loss')!;
    expect(loss).toMatchObject({ verdict: 'PASS', method: 'betting, corrected by people' });
    expect(loss.value).toBeCloseTo(await weightedLoss(verdict.policy.threshold), 10); // this judge makes no mistake
  });
});
