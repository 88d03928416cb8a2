import { chooseRung } from '../../router/policy/index.ts';
import { seededRandom } from '../../router/statistics/index.ts';
import type { Population } from '../../scripts/bench/guarantee/population.ts';

/** Predicted loss and loss go together, with noise; some cases share a score, and some qualities are halves. */
export function madeUpPopulation(cases: number, seed: number, set = 'routellm_mmlu'): Population {
  const random = seededRandom(seed);
  const rows = Array.from({ length: cases }, () => {
    const hardness = Math.round(random() * 500) / 500;
    const [cheap, strong] = [0.95 - 0.6 * hardness, 0.95 - 0.2 * hardness];
    const grade = (p: number) => (random() < p ? 1 : random() < 0.1 ? 0.5 : 0);
    return { probabilities: [cheap, strong], quality: [grade(cheap), grade(strong)] };
  });
  const column = (of: 'probabilities' | 'quality', rung: number) =>
    Float64Array.from(rows, (row) => row[of][rung]!);
  return {
    set,
    sha256: `made up ${cases} ${seed}`,
    probabilities: [column('probabilities', 0), column('probabilities', 1)],
    quality: [column('quality', 0), column('quality', 1)],
  };
}

/** What a threshold does, by asking the policy for each case of the population. */
export function replayed({ probabilities, quality }: Population, threshold: number) {
  const n = quality[0]!.length;
  let [escalated, loss] = [0, 0];
  for (let row = 0; row < n; row++) {
    const rung = chooseRung([probabilities[0]![row]!, probabilities[1]![row]!], threshold);
    escalated += rung;
    loss += quality[1]![row]! - quality[rung]![row]!;
  }
  return { escalationRate: escalated / n, loss: loss / n };
}
