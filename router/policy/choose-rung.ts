/**
 * Predicted loss of a candidate: the strongest candidate's probability minus its own, in [-1, 1]. It estimates the
 * quality loss, q(strong) - q(routed), of sending the request there; below 0 the cheaper one is expected to do better.
 */
export function predictedLoss(probabilities: ArrayLike<number>, rung: number): number {
  return probabilities[probabilities.length - 1]! - probabilities[rung]!;
}

/**
 * The cheapest rung whose predicted loss is within the threshold; the strongest if none is.
 * @param probabilities one per rung, cheapest first.
 * @param allowed the rungs to choose among, ascending, at least one; all of them if left out.
 */
export function chooseRung(
  probabilities: ArrayLike<number>,
  threshold: number,
  allowed?: readonly number[],
): number {
  if (allowed !== undefined) return chooseAmong(allowed, probabilities, threshold);
  const strongest = probabilities.length - 1;
  for (let rung = 0; rung < strongest; rung++) {
    if (predictedLoss(probabilities, rung) <= threshold) return rung;
  }
  return strongest;
}

function chooseAmong(
  allowed: readonly number[],
  probabilities: ArrayLike<number>,
  threshold: number,
): number {
  const within = allowed.find((rung) => predictedLoss(probabilities, rung) <= threshold);
  return within ?? allowed[allowed.length - 1]!;
}
