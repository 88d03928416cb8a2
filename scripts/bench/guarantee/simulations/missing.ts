import { openGate } from '../gate.ts';
import { CONFIDENCE, MARGIN, promised, type Simulation, shown } from './simulation.ts';

const CASES = 2000;
const KEPT = 0.3;
/** The shares of all cases that the cheap model loses and wins. Their difference is 1.5 times the margin. */
const LOST = 0.0675;
const WON = 0.0225;
const MISSING_OF_OTHERS = 0.02;
/** Predicted loss of what is kept cheap and of what is escalated; the policy's threshold lies between. */
const PREDICTED = { kept: 0.1, escalated: 0.9, threshold: 0.5 };

/** Outcomes go missing, and those that were lost more often than others: time-outs, refusals, replies that nobody could grade. */
export function missingOutcomes(ofLost: number): Simulation {
  const gate = openGate(
    { maxQualityLoss: MARGIN, confidence: CONFIDENCE },
    Float64Array.of(PREDICTED.threshold),
  );
  return {
    name: `missing/${100 * ofLost} % of the lost outcomes, ${100 * MISSING_OF_OTHERS} % of the others, n ${CASES}`,
    ways: [promised('counted as lost'), shown('left out')],
    trial(random) {
      const cases = Array.from({ length: CASES }, () => {
        const kept = random() < KEPT;
        const draw = random() * KEPT;
        const loss = !kept || draw >= LOST + WON ? 0 : draw < LOST ? 1 : -1;
        const missing = random() < (loss === 1 ? ofLost : MISSING_OF_OTHERS);
        const cheap = missing ? Number.NaN : loss === 1 ? 0 : 1;
        return { predicted: kept ? PREDICTED.kept : PREDICTED.escalated, cheap, strong: loss === -1 ? 0 : 1 };
      });
      const judge = (counted: typeof cases) => {
        const column = (of: (one: (typeof cases)[number]) => number) => Float64Array.from(counted, of);
        const threshold = gate.judge({
          probabilities: [column(({ predicted }) => 1 - predicted), column(() => 1)],
          quality: [column(({ cheap }) => cheap), column(({ strong }) => strong)],
        });
        return threshold !== undefined;
      };
      return [judge(cases), judge(cases.filter(({ cheap }) => !Number.isNaN(cheap)))];
    },
  };
}
