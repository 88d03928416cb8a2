/** A case: the loss that people see, 1, 0 or -1, and what the judge says, which errs in `error` of the cases, more often for a longer reply. */
interface World {
  readonly loss: number;
  readonly error: number;
  /** Share of the errors that are in favour of the cheap model, whose replies are longer. */
  readonly bias: number;
}

export function drawn(world: World, n: number, random: () => number) {
  const human = new Float64Array(n);
  const judged = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    human[i] = random() < world.loss ? 1 : 0;
    const errs = random() < world.error;
    judged[i] = errs ? (random() < world.bias ? 0 : 1) : (human[i] ?? 0);
  }
  return { human, judged };
}
