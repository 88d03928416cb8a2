import type { Contradiction, GradedItem, SourceComparison, SourceOrder } from '../../router/grading/index.ts';
import { mean } from '../../router/statistics/index.ts';
import { type CanonicalRow, JUDGED_QUALITY } from '../cases/index.ts';
import { kappaOf, type Ratings } from './agreement.ts';
import { type GradeLog, qualityOf as gradedQuality } from './grades.ts';
import { shareOf } from './habits.ts';
import { itemsByCase, type ReviewKey } from './key.ts';
import { qualityOf } from './sample.ts';
import { sourceOf } from './survey.ts';

/** What is compared: the labels of people on the page with those that the cases brought. */
export interface Compared {
  readonly key: Pick<ReviewKey, 'candidates' | 'items'>;
  readonly rows: ReadonlyMap<string, CanonicalRow>;
  readonly log: GradeLog;
}

/** What the source of a label that no reviewer gave says; undefined if there is none. */
function otherLabel(
  row: CanonicalRow,
  model: string,
): { readonly source: string; readonly quality: number } | undefined {
  const source = sourceOf(row, model);
  const judged = Object.hasOwn(row.outcomes, model) ? row.outcomes[model]?.[JUDGED_QUALITY] : undefined;
  if (typeof judged === 'number') return { source: 'judge', quality: judged };
  const quality = qualityOf(row, model);
  return source === undefined || source === 'human' || quality === undefined
    ? undefined
    : { source, quality };
}

/** What one model loses against the strongest on one case, by people and by another source: each -1 to 1. */
interface Losses {
  readonly case: string;
  readonly source: string;
  readonly model: string;
  readonly people: number;
  readonly other: number;
}

/**
 * Losses and not qualities: a judge of pairs gives the strongest model's own reply .5 whatever it is worth, and the gate is about losses. Pairs
 * whose two labels are of different sources are left out.
 */
function lossesOf({ key, rows, log }: Compared): Losses[] {
  const people = humanQualities(key, log);
  const strong = key.candidates.at(-1) ?? '';
  return [...people].flatMap(([id, qualities]) => {
    const row = rows.get(id);
    const [best, bestOther] = [qualities.get(strong), row && otherLabel(row, strong)];
    if (row === undefined || best === undefined || bestOther === undefined) return [];
    return key.candidates.slice(0, -1).flatMap((model) => {
      const [quality, other] = [qualities.get(model), otherLabel(row, model)];
      if (quality === undefined || other?.source !== bestOther.source) return [];
      const { source } = other;
      return [{ case: id, source, model, people: best - quality, other: bestOther.quality - other.quality }];
    });
  });
}

/** Case -> candidate -> quality: what a disagreement was settled to, else the mean of the reviewers. */
function humanQualities({ items }: Compared['key'], log: GradeLog): Map<string, Map<string, number>> {
  const ratings = [...log.ratings.values()];
  const settled = settledQualities(log);
  const human = new Map<string, Map<string, number>>();
  for (const { item, case: id, candidate } of items) {
    const given = ratings.flatMap((one) => one.get(item) ?? []);
    const quality = settled.get(item) ?? (given.length === 0 ? undefined : mean(given));
    if (quality === undefined) continue;
    human.set(id, (human.get(id) ?? new Map<string, number>()).set(candidate, quality));
  }
  return human;
}

function settledQualities(log: GradeLog): Ratings {
  const graded = [...log.settled.values()].flatMap(({ grades }) => grades);
  return new Map(
    graded.flatMap((one) => {
      const quality = gradedQuality(one);
      return quality === undefined ? [] : [[one.item, quality] as const];
    }),
  );
}

/** How far people and each other source say the same of which reply is better. */
export function comparisonsOf(compared: Compared): SourceComparison[] {
  const groups = new Map<string, Losses[]>();
  for (const one of lossesOf(compared)) {
    const name = JSON.stringify([one.source, one.model]);
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [one]);
    else known.push(one);
  }
  return [...groups.values()].map((losses) => {
    const { source, model } = losses[0]!;
    const words = losses.map(({ people, other }) => [Math.sign(people), Math.sign(other)]);
    const same = words.filter(([a, b]) => a === b).length;
    return {
      source,
      model,
      same: shareOf(same, words.length),
      kappa: kappaOf(words.map((one) => [one])),
      meanDifference: mean(losses.map(({ people, other }) => people - other)),
    };
  });
}

/**
 * Cases on which reviewers differ, on which people and another source do not say the same of which reply is better, of which nobody could tell, or
 * that were settled. What is open first, then by how far the labels are apart, as a share of what is possible.
 */
export function contradictionsOf(compared: Compared): Contradiction[] {
  const { key, log } = compared;
  const { undecided } = log;
  const apart = new Map<string, number>();
  for (const { case: id, people, other } of lossesOf(compared)) {
    if (Math.sign(people) === Math.sign(other)) continue;
    apart.set(id, Math.max(apart.get(id) ?? 0, Math.abs(people - other)));
  }
  const ratings = [...log.ratings.values()];
  const all = [...itemsByCase(key.items)].flatMap(([id, items]) => {
    const between = spreads(items, ratings);
    const contradiction = {
      case: id,
      betweenPeople: between.length === 0 ? undefined : Math.max(...between),
      fromOthers: apart.get(id),
      isUndecided: items.some(({ item }) => undecided.has(item)),
      isSettled: log.settled.has(id),
    };
    return isOne(contradiction) ? [contradiction] : [];
  });
  return all.sort((a, b) => Number(a.isSettled) - Number(b.isSettled) || strength(b) - strength(a));
}

/** How far the reviewers of each reply are apart; nothing for a reply with one reviewer. */
function spreads(items: readonly { readonly item: string }[], ratings: readonly Ratings[]): number[] {
  return items.flatMap(({ item }) => {
    const given = ratings.flatMap((one) => one.get(item) ?? []);
    return given.length < 2 ? [] : [Math.max(...given) - Math.min(...given)];
  });
}

function isOne({ betweenPeople = 0, fromOthers = 0, isUndecided, isSettled }: Contradiction): boolean {
  return betweenPeople > 0 || fromOthers > 0 || isUndecided || isSettled;
}

function strength({ betweenPeople = 0, fromOthers = 0 }: Contradiction): number {
  return Math.max(betweenPeople, fromOthers / 2);
}

/** In which order each other source puts the replies, of the replies that it labelled. */
export function ordersOf(row: CanonicalRow, items: readonly GradedItem[]): SourceOrder[] {
  const labels = items.flatMap(({ candidate }, place) => {
    const label = otherLabel(row, candidate);
    return label === undefined ? [] : [{ place, ...label }];
  });
  const sources = [...new Set(labels.map(({ source }) => source))];
  return sources.map((source) => {
    const own = labels.filter((one) => one.source === source);
    const qualities = [...new Set(own.map(({ quality }) => quality))].sort((a, b) => b - a);
    const places = qualities.map((quality) =>
      own.filter((one) => one.quality === quality).map(({ place }) => place),
    );
    return { source, places };
  });
}
