/**
 * Numbers from other software: scikit-learn 1.2.1 and numpy 1.24.2 under Python 3.11. The tests only read them. Made with:
 *
 * ```python
 * import json
 * import numpy as np
 * from sklearn.metrics import roc_auc_score, brier_score_loss, log_loss
 * from sklearn.calibration import calibration_curve
 *
 * rng = np.random.default_rng(7)
 * n = 40
 * s = np.round(rng.uniform(size=n), 1)                      # scores, many ties
 * p = np.round(rng.permutation(n) / n * 0.96 + 0.02, 3)     # probabilities, all different
 * y = (rng.uniform(size=n) < p).astype(int)                 # hard labels
 * soft = np.round(np.clip(p + rng.normal(0, 0.3, n), 0, 1), 2)
 * cheap = np.round(rng.uniform(size=n), 2)
 * strong = np.round(np.clip(cheap + s * rng.uniform(-0.3, 1, n), 0, 1), 2)
 *
 * # a soft label as two cases: a positive of weight y, a negative of weight 1 - y
 * twice = lambda v: np.r_[v, v]
 * sides, weights = np.r_[np.ones(n), np.zeros(n)], np.r_[soft, 1 - soft]
 * observed, predicted = calibration_curve(y, p, n_bins=10, strategy='quantile')   # four cases a bin
 *
 * # the routing curve at the ends of the tie groups only; straight lines between them
 * cut = np.unique(s)[::-1]
 * c = np.r_[0, [(s >= t).mean() for t in cut]]
 * r = np.r_[cheap.mean(), [np.where(s >= t, strong, cheap).mean() for t in cut]]
 * pgr = (r - r[0]) / (r[-1] - r[0])
 * grid = np.arange(n + 1) / n
 * fine = np.interp(grid, c, pgr)
 *
 * def apgr(i):  # of the cases i, by a loop over the scores that occur
 *     c, r = [0.0], [cheap[i].mean()]
 *     for t in np.unique(s[i])[::-1]:
 *         c.append((s[i] >= t).mean())
 *         r.append(np.where(s[i] >= t, strong[i], cheap[i]).mean())
 *     return np.trapz((np.array(r) - r[0]) / (r[-1] - r[0]), c)
 *
 * drawn = [apgr(rng.integers(0, n, n)) for _ in range(20000)]
 *
 * out = dict(
 *     auroc=roc_auc_score(y, s), aurocSoft=roc_auc_score(sides, twice(s), sample_weight=weights),
 *     brier=brier_score_loss(y, p), brierSoft=np.mean((p - soft) ** 2),
 *     logLoss=log_loss(y, p), logLossSoft=log_loss(sides, twice(p), sample_weight=weights),
 *     logLossCertain=log_loss([1, 0, 1], [1.0, 1.0, 0.5]),
 *     reliabilityPredicted=predicted.tolist(), reliabilityObserved=observed.tolist(),
 *     ece=np.mean(np.abs(predicted - observed)),
 *     apgr=np.trapz(pgr, c), cpt50=grid[np.argmax(fine >= 0.5)], cpt80=grid[np.argmax(fine >= 0.8)],
 *     bootstrapLow=np.quantile(drawn, 0.025), bootstrapHigh=np.quantile(drawn, 0.975),
 * )
 * print(json.dumps(dict(scores=s.tolist(), probabilities=p.tolist(), labels=y.tolist(), softLabels=soft.tolist(),
 *                       cheapQuality=cheap.tolist(), strongQuality=strong.tolist()), indent=0).replace('\n', ''))
 * print(json.dumps(out, indent=1))
 * ```
 */

/** Forty cases. Scores repeat, probabilities do not. */
export const cases = {
  scores: [
    0.6, 0.9, 0.8, 0.2, 0.3, 0.9, 0.0, 0.8, 0.8, 0.5, 0.3, 0.3, 0.3, 0.4, 0.5, 0.6, 1.0, 0.8, 0.6, 1.0, 0.2,
    0.2, 0.6, 0.0, 0.0, 0.5, 0.5, 0.9, 0.6, 0.5, 0.5, 0.2, 0.0, 0.2, 0.7, 0.2, 0.4, 0.0, 0.8, 0.2,
  ],
  probabilities: [
    0.14, 0.956, 0.092, 0.788, 0.02, 0.572, 0.38, 0.116, 0.812, 0.62, 0.596, 0.476, 0.26, 0.044, 0.068, 0.284,
    0.836, 0.74, 0.644, 0.668, 0.692, 0.884, 0.332, 0.404, 0.86, 0.932, 0.356, 0.452, 0.5, 0.908, 0.308,
    0.188, 0.236, 0.548, 0.428, 0.164, 0.212, 0.764, 0.524, 0.716,
  ],
  labels: [
    0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0,
    0, 0, 1, 0, 1,
  ],
  softLabels: [
    0.29, 0.9, 0.03, 1.0, 0.18, 0.26, 0.36, 0.13, 0.5, 0.7, 0.34, 0.77, 0.32, 0.07, 0.0, 0.25, 0.24, 0.4,
    0.75, 0.03, 0.95, 0.36, 0.56, 0.15, 1.0, 0.97, 0.0, 0.83, 0.93, 0.89, 0.23, 0.14, 0.0, 0.88, 0.27, 0.15,
    0.0, 0.58, 0.14, 1.0,
  ],
  cheapQuality: [
    0.52, 0.95, 0.25, 0.81, 0.68, 0.72, 0.63, 0.97, 0.33, 0.4, 0.2, 0.05, 0.21, 0.92, 0.84, 0.11, 0.6, 0.48,
    0.59, 0.66, 0.31, 0.96, 0.47, 0.63, 0.64, 0.18, 0.06, 0.41, 0.76, 0.82, 0.73, 0.11, 0.91, 0.8, 0.88, 0.52,
    0.92, 0.05, 0.03, 0.02,
  ],
  strongQuality: [
    0.54, 0.97, 0.21, 0.9, 0.61, 1.0, 0.63, 1.0, 0.11, 0.45, 0.48, 0.17, 0.44, 1.0, 1.0, 0.08, 1.0, 0.28, 1.0,
    1.0, 0.47, 0.91, 0.55, 0.63, 0.64, 0.44, 0.43, 0.51, 1.0, 1.0, 0.66, 0.25, 0.91, 0.79, 1.0, 0.63, 1.0,
    0.05, 0.48, 0.12,
  ],
};

/** What the other software says of them. */
export const oracle = {
  auroc: 0.3737373737373737,
  aurocSoft: 0.4452407692942216,
  brier: 0.203296,
  brierSoft: 0.06981849999999999,
  logLoss: 0.5763371721505377,
  logLossSoft: 0.582657202423582,
  logLossCertain: 12.245600189892366,
  reliabilityPredicted: [
    0.056, 0.152, 0.248, 0.34400000000000003, 0.44, 0.536, 0.632, 0.728, 0.824, 0.9199999999999999,
  ],
  reliabilityObserved: [0.0, 0.25, 0.5, 1.0, 0.25, 0.25, 0.75, 1.0, 0.5, 1.0],
  ece: 0.2332,
  apgr: 0.604691211401425,
  cpt50: 0.425,
  cpt80: 0.65,
  bootstrapLow: 0.45049017480151915,
  bootstrapHigh: 0.7060948100087442,
};
