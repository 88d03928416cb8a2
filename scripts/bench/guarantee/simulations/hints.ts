import {
  deltaOfLook,
  type Sealed,
  subjectAt,
  suiteSchema,
  walkSealed,
} from '../../../../evals/gate/index.ts';
import { drawnOrder, sealedCases } from '../gate.ts';
import { CONFIDENCE, MARGIN, type Simulation, shown } from './simulation.ts';

/** How the forecast is put to the test: this many times the further cases are drawn, half as many as it says and twice as many. */
const FUTURES = 11;
const THRESHOLD = 0.5;
const MOST_DOWNGRADED = 0.05;

interface Hint {
  /** What is INCONCLUSIVE. */
  readonly condition: 'quality-loss' | 'silent-downgrades';
  /** Cases of the look. */
  readonly n: number;
  /** The truth as a multiple of the limit. */
  readonly times: number;
  /** Which look it is. The later, the more it takes. */
  readonly look: number;
}

/**
 * For INCONCLUSIVE looks: how often the gate says how many further cases would decide, and how often that is right, which is that
 * half of them would mostly not decide, and twice as many mostly would. The policy keeps everything cheap; three losses come to one win.
 */
export function hintOfFurtherCases({ condition, n, times, look }: Hint): Simulation {
  const isLoss = condition === 'quality-loss';
  const suite = suiteSchema.parse({
    name: 'coverage',
    max_quality_loss: isLoss ? MARGIN : 1,
    confidence: CONFIDENCE,
    ...(!isLoss && { silent_downgrades: { margin: MARGIN, max_rate: MOST_DOWNGRADED } }),
  });
  const [lost, won] = isLoss ? [1.5 * times * MARGIN, 0.5 * times * MARGIN] : [times * MOST_DOWNGRADED, 0];
  const gateOn = (losses: readonly number[], batches: readonly number[]) => {
    const column = (of: (loss: number) => number) => Float64Array.from(losses, of);
    const probabilities = [column(() => 1), column(() => 1)];
    const quality = [column((loss) => (loss === 1 ? 0 : 1)), column((loss) => (loss === -1 ? 0 : 1))];
    const delta = deltaOfLook(look, CONFIDENCE);
    const bets = drawnOrder(losses.length, batches);
    const sealed: Sealed = { ...sealedCases({ probabilities, quality }), suite, bets, delta };
    const { promised, proved } = walkSealed(sealed, Float64Array.of(THRESHOLD));
    const describe = () =>
      promised.find(({ name }) => name === condition)!.describe(subjectAt(sealed, THRESHOLD));
    return { proved, describe };
  };
  return {
    name: `hints/${condition}, truth ${times} of the limit, n ${n}, look ${look}`,
    share: 0.2,
    ways: [shown('gives a number'), shown('right within a factor of two')],
    trial(random) {
      const draw = (cases: number) =>
        Array.from({ length: cases }, () => {
          const at = random();
          return at < lost ? 1 : at < lost + won ? -1 : 0;
        });
      const seen = draw(n);
      const { verdict, further_cases: further } = gateOn(seen, [n]).describe();
      if (verdict !== 'INCONCLUSIVE') return undefined;
      if (further === undefined) return [false, false];
      const mostlyDecides = (cases: number) => {
        let decided = 0;
        for (let future = 0; future < FUTURES; future++) {
          const later = gateOn([...seen, ...draw(cases)], [n, cases]);
          if (later.proved || (times > 1 && later.describe().verdict === 'FAIL')) decided++;
        }
        return decided > FUTURES / 2;
      };
      return [true, !mostlyDecides(Math.max(1, Math.floor(further / 2))) && mostlyDecides(2 * further)];
    },
  };
}
