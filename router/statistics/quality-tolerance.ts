/**
 * Two mean qualities that differ by no more than this are the same number reached along two orders of summation.
 * A mean of n values in [0, 1] carries a rounding error of about sqrt(n) * 1e-16, so 1e-12 is far above the rounding of a
 * million cases and far below the smallest difference that one of them can make (1e-6 for labels of 0 and 1).
 */
export const QUALITY_TOLERANCE = 1e-12;

/** The rule (see requireNumbers) for mean qualities, whose rounding may carry them just outside 0..1. */
export const meanQualityRange = { min: -QUALITY_TOLERANCE, max: 1 + QUALITY_TOLERANCE } as const;
