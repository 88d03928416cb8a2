/** Calibrated probability = sigmoid(slope * logit + offset); one pair a head (Platt 1999). */
export interface PlattScaling {
  readonly slope: number;
  readonly offset: number;
}

export function calibrated(logit: number, { slope, offset }: PlattScaling): number {
  return 1 / (1 + Math.exp(-(slope * logit + offset)));
}
