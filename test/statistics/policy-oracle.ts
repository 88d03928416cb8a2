/**
 * Numbers from other software on the forty cases of `oracle.ts`: scipy 1.10.1 and numpy 1.24.2 under Python 3.11. The tests only read
 * them. Made with, where `cases` holds those forty:
 *
 * ```python
 * import json
 * import numpy as np
 * from scipy.spatial import ConvexHull
 * from scipy.stats import entropy
 *
 * s, p, y, soft, cheap, strong = (np.array(cases[k]) for k in
 *     ('scores', 'probabilities', 'labels', 'softLabels', 'cheapQuality', 'strongQuality'))
 * n = len(s)
 * rungs = np.digitize(s, [0.4, 0.7])                    # three rungs; the middle candidate has the quality `soft`
 * routed = np.choose(rungs, [cheap, soft, strong])
 *
 * def decomposed(p, y, bins):   # equal mass by numpy; no ties in p
 *     parts = np.array_split(np.argsort(p), bins)
 *     w = [len(i) / n for i in parts]
 *     rel = np.dot(w, [(p[i].mean() - y[i].mean()) ** 2 for i in parts])
 *     res = np.dot(w, [(y[i].mean() - y.mean()) ** 2 for i in parts])
 *     within = np.dot(w, [np.var(p[i]) - 2 * np.cov(p[i], y[i], bias=True)[0, 1] for i in parts])
 *     return dict(reliability=rel, resolution=res, uncertainty=np.var(y), withinBin=within)
 *
 * def aiq(x, q):   # the area of the points' hull with a corner on the right for "flat", and a floor one below
 *     low, high = x.min(), x.max()
 *     corners = np.c_[np.r_[x, high, low, high], np.r_[q, q.max(), -1, -1]]
 *     return ConvexHull(corners).volume / (high - low) - 1
 *
 * cost = np.round(0.002 + 0.01 * p, 5)                  # forty points of a cloud: any cost, any quality
 * points = np.c_[cost, soft]
 * corners = ConvexHull(np.r_[points, [[cost.min(), -9], [cost.max(), -9], [cost.max(), soft.max()]]]).vertices
 * cut = np.unique(s)[::-1]
 * share = np.r_[0, [(s >= v).mean() for v in cut]]
 * curve = np.r_[cheap.mean(), [np.where(s >= v, strong, cheap).mean() for v in cut]]
 *
 * e, g = (s >= 0.5).astype(float), strong - cheap
 * out = dict(
 *     decomposed=decomposed(p, y, 10), decomposedSoft=decomposed(p, soft, 4),
 *     aiqCloud=aiq(cost, soft), aiqCurve=aiq(share, curve),
 *     hullCosts=sorted(cost[[i for i in corners if i < n]].tolist()),
 *     entropyBits=entropy(np.bincount(rungs), base=2),
 *     silentDowngrades=np.mean(strong - routed > 0.1 + 1e-12),
 *     excessTwoRungs=np.cov(e, g, bias=True)[0, 1],
 *     excessLadder=routed.mean() - np.average([cheap.mean(), soft.mean(), strong.mean()],
 *                                             weights=np.bincount(rungs) / n),
 * )
 * print(json.dumps(out, indent=1))
 * ```
 */
export const policyOracle = {
  decomposed: {
    reliability: 0.082376,
    resolution: 0.1225,
    uncertainty: 0.24749999999999997,
    withinBin: -0.004079999999999999,
  },
  decomposedSoft: {
    reliability: 0.006968250000000002,
    resolution: 0.05128268750000001,
    uncertainty: 0.1198509375,
    withinBin: -0.005718000000000001,
  },
  aiqCloud: 0.7637179487179491,
  aiqCurve: 0.5954406250000002,
  hullCosts: [0.0022, 0.007, 0.00916],
  entropyBits: 1.5679414913662506,
  silentDowngrades: 0.35,
  excessTwoRungs: 0.015862500000000005,
  excessLadder: -0.009856250000000122,
};
