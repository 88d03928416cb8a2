/** How often each model was chosen by routing since the start; for `randomCostUsd`. Explicit models do not count. */
export interface RungShares {
  /** @param model the name of the chosen rung's model */
  chose(model: string): void;
  /** 0 to 1; 0 for a model that was never chosen. */
  shareOf(model: string): number;
}

export function createRungShares(): RungShares {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    chose(model) {
      counts.set(model, (counts.get(model) ?? 0) + 1);
      total++;
    },
    shareOf: (model) => (counts.get(model) ?? 0) / Math.max(1, total),
  };
}
