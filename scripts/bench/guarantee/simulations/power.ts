import { methodsFor } from '../methods.ts';
import { CONFIDENCE, type Simulation, shown } from './simulation.ts';

const CASES = 2000;
const METHODS = ['gate', 'gate, one look planned', 'plug-in stakes'];

interface HalfTheMargin {
  readonly margin: number;
  /** Share of the cases on which the candidates differ and the policy keeps the cheap one. */
  readonly differing: number;
}

/** How often a policy passes that truly loses half of what it may: each of its cases loses 1, wins 1, or neither. */
export function powerAtHalf({ margin, differing }: HalfTheMargin): Simulation {
  const methods = methodsFor(CASES, Float64Array.of(0)).filter(({ name }) => METHODS.includes(name));
  const promise = { maxQualityLoss: margin, confidence: CONFIDENCE };
  const lost = (differing + margin / 2) / 2;
  return {
    name: `power/half of margin ${margin}, candidates differ on ${100 * differing} %, n ${CASES}`,
    ways: methods.map(({ name }) => shown(name)),
    trial(random) {
      const losses = Float64Array.from({ length: CASES }, () => {
        const draw = random();
        return draw < lost ? 1 : draw < differing ? -1 : 0;
      });
      return methods.map((method) => method.passes(losses, promise));
    },
  };
}
