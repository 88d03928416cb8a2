import type { Rung } from '../../router/artifact/index.ts';
import { predictedLoss } from '../../router/policy/index.ts';
import type { Case } from '../cases/index.ts';

/** What slices are cut by. No prompt text. */
export interface Traits
  extends Pick<Case, 'id' | 'key' | 'task' | 'source' | 'language' | 'turns' | 'tools'> {
  /** Of the routed text, in UTF-16 units. */
  readonly characters: number;
}

/** Labelled cases with what a classifier says of them, in columns: one entry a case, and no text. */
export interface Replay {
  readonly n: number;
  readonly traits: readonly Traits[];
  /** Calibrated, [rung][case], cheapest rung first. */
  readonly probabilities: readonly Float64Array[];
  /** [rung][case], 0..1. */
  readonly quality: readonly Float64Array[];
  /** [rung][case], US dollars; undefined for a rung unless the cost of every case is known. */
  readonly costUsd: readonly (Float64Array | undefined)[];
}

export interface ScoredCase {
  readonly one: Case;
  /** One a rung, cheapest first. */
  readonly probabilities: ArrayLike<number>;
}

/**
 * Collects scored cases into a replay, one at a time: a stream of a million keeps a few hundred bytes a case and no text.
 * @param ladder whose models' outcomes count; each case has one of every rung
 */
export async function collectReplay(
  cases: AsyncIterable<ScoredCase> | Iterable<ScoredCase>,
  ladder: readonly Rung[],
): Promise<Replay> {
  const traits: Traits[] = [];
  const probabilities = ladder.map(() => [] as number[]);
  const quality = ladder.map(() => [] as number[]);
  const costUsd = ladder.map((): number[] | undefined => []);
  for await (const { one, probabilities: scores } of cases) {
    traits.push(traitsOf(one));
    for (const [rung, { model }] of ladder.entries()) {
      const outcome = one.outcomes.get(model)!;
      probabilities[rung]!.push(scores[rung]!);
      quality[rung]!.push(outcome.quality);
      if (outcome.costUsd === undefined) costUsd[rung] = undefined;
      else costUsd[rung]?.push(outcome.costUsd);
    }
  }
  return {
    n: traits.length,
    traits,
    probabilities: probabilities.map((column) => Float64Array.from(column)),
    quality: quality.map((column) => Float64Array.from(column)),
    costUsd: costUsd.map((column) => column && Float64Array.from(column)),
  };
}

function traitsOf({ id, key, task, source, language, turns, tools, text }: Case): Traits {
  return {
    id,
    key,
    characters: text.length,
    ...(task !== undefined && { task }),
    ...(source !== undefined && { source }),
    ...(language !== undefined && { language }),
    ...(turns !== undefined && { turns }),
    ...(tools !== undefined && { tools }),
  };
}

/** The rung of each case at a threshold: what the policy decides. */
export function rungsAt(probabilities: readonly ArrayLike<number>[], threshold: number): Int32Array {
  const strongest = probabilities.length - 1;
  const rungs = new Int32Array(probabilities[0]!.length).fill(strongest);
  const own = new Float64Array(probabilities.length);
  for (let row = 0; row < rungs.length; row++) {
    for (let rung = 0; rung <= strongest; rung++) own[rung] = probabilities[rung]![row]!;
    for (let rung = 0; rung < strongest; rung++) {
      if (predictedLoss(own, rung) > threshold) continue;
      rungs[row] = rung;
      break;
    }
  }
  return rungs;
}

/** What each case loses against always-strong, q(strongest) - q(routed), -1..1. */
export function lossesOf({ quality }: Pick<Replay, 'quality'>, rungs: ArrayLike<number>): Float64Array {
  const strong = quality[quality.length - 1]!;
  return strong.map((q, row) => q - quality[rungs[row]!]![row]!);
}
