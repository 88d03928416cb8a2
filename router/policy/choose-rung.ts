/**
 * Predicted loss of a candidate: the strongest candidate's probability minus its own, in [-1, 1]. It estimates the
 * quality loss, q(strong) - q(routed), of sending the request there; below 0 the cheaper one is expected to do better.
 */
export function predictedLoss(probabilities: ArrayLike<number>, rung: number): number {
  return probabilities[probabilities.length - 1]! - probabilities[rung]!;
}

/**
 * The cheapest rung whose predicted loss is within the threshold; the strongest where none is.
 * @param probabilities one a rung, cheapest first.
 */
export function chooseRung(probabilities: ArrayLike<number>, threshold: number): number {
  const strongest = probabilities.length - 1;
  for (let rung = 0; rung < strongest; rung++) {
    if (predictedLoss(probabilities, rung) <= threshold) return rung;
  }
  return strongest;
}
