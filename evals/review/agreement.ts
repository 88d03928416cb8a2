import type { Agreement, Coefficient, PairAgreement } from '../../router/grading/index.ts';
import {
  bootstrapStatisticInterval,
  clopperPearsonInterval,
  cohenKappa,
  krippendorffAlpha,
} from '../../router/statistics/index.ts';
import { itemsByCase, type ReviewKey } from './key.ts';

const DELTA = 0.05;
/** Below it a bootstrap says nothing. */
const FEWEST_CASES = 10;

/** Item -> quality of its reply, 0 to 1, as one reviewer sees it. */
export type Ratings = ReadonlyMap<string, number>;

/** How far reviewers agree, on the items that more than one of them rated. */
export function agreementOf(
  { items, style }: Pick<ReviewKey, 'items' | 'style'>,
  ratings: ReadonlyMap<string, Ratings>,
): Agreement {
  const cases = itemsByCase(items);
  const units = [...cases.values()].map((entries) =>
    entries.map(({ item }) => [...ratings.values()].flatMap((one) => one.get(item) ?? [])),
  );
  const scale = style === 'pairs' ? 'nominal' : 'interval';
  const names = [...ratings.keys()];
  return {
    pairs: names.flatMap((first, at) =>
      names.slice(at + 1).map((second) => pairAgreement([first, second], ratings, [...cases.values()])),
    ),
    alpha: coefficientOf(
      units.map((one) => one.filter(({ length }) => length >= 2)),
      (drawn) => krippendorffAlpha(drawn, scale),
    ),
    disagreements: [...cases.keys()].filter((_, at) => units[at]?.some(differ)),
  };
}

function pairAgreement(
  reviewers: readonly [string, string],
  ratings: ReadonlyMap<string, Ratings>,
  cases: readonly (readonly { readonly item: string }[])[],
): PairAgreement {
  const [first, second] = reviewers.map((name) => ratings.get(name) ?? new Map<string, number>());
  const common = cases.map((entries) =>
    entries.flatMap(({ item }) => {
      const [a, b] = [first?.get(item), second?.get(item)];
      return a === undefined || b === undefined ? [] : [[a, b]];
    }),
  );
  const kappa = kappaOf(common);
  if (kappa.cases === 0) return { reviewers, kappa, equal: undefined };
  const equal = kappa.cases - common.filter((one) => one.some(differ)).length;
  return {
    reviewers,
    kappa,
    equal: { cases: equal, interval: clopperPearsonInterval(equal, kappa.cases, DELTA) },
  };
}

/** Cohen's kappa of two raters. @param cases the two ratings of each item of each case */
export function kappaOf(cases: readonly (readonly (readonly number[])[])[]): Coefficient {
  return coefficientOf(cases, (drawn) =>
    drawn.length === 0
      ? undefined
      : cohenKappa(
          drawn.map(([a]) => a),
          drawn.map(([, b]) => b),
        ),
  );
}

/** @param cases the ratings of each item of each case; replies to one request are drawn together */
function coefficientOf(
  cases: readonly (readonly (readonly number[])[])[],
  coefficient: (items: readonly (readonly number[])[]) => number | undefined,
): Coefficient {
  const rated = cases.filter(({ length }) => length > 0);
  const items = rated.flat();
  return {
    value: coefficient(items),
    interval:
      rated.length >= FEWEST_CASES && items.some(differ)
        ? bootstrapStatisticInterval(rated, (drawn) => coefficient(drawn.flat()), 1 - DELTA)
        : undefined,
    items: items.length,
    cases: rated.length,
  };
}

function differ(ratings: readonly number[]): boolean {
  return ratings.some((one) => one !== ratings[0]);
}
