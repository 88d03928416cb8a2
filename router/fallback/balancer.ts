import { hash } from 'node:crypto';
import { type Balance, type CatalogModel, type Deployment, placeName } from '../catalog/index.ts';
import type { UnroutedCall } from '../exchange/index.ts';
import { namesFile } from './key-rotation.ts';

/** What a request says about how models with several deployments are called. */
export interface DeploymentUse {
  /** What its conversation is placed by: the same text goes to the same deployment, at every instance. Undefined: by balance. */
  readonly affinity?: string | undefined;
  /** Share of the fullest limit of a place that is used, 0 up, as last seen; undefined if nothing limits it or nothing was seen. */
  readonly usedShare?: ((place: CatalogModel) => number | undefined) | undefined;
  /** Whether others are to be preferred, since a limit of a place is nearly used. */
  readonly isNearLimit?: ((place: CatalogModel) => boolean) | undefined;
  /** Called for each reply with what must be called when the request has ended. Must not throw. */
  readonly onReply: (leave: () => void) => void;
}

interface BalancedCall {
  readonly model: CatalogModel;
  readonly deployments: readonly Deployment[];
  readonly call: UnroutedCall;
  readonly use: DeploymentUse | undefined;
  /** Whether the breaker of a place would let a request through. */
  readonly mayTry: (place: Deployment) => boolean;
}

/** Spreads requests over the deployments of a model. One for the life of the process: it knows what is at work. */
export interface Balancer {
  /** All deployments, in the order in which they are to be called. */
  order(call: BalancedCall): readonly Deployment[];
  /** A request is at work there until what it returns is called; further calls do nothing. */
  enter(place: CatalogModel): () => void;
  /** Requests at work, by place; without those that have none. */
  atWork(): ReadonlyMap<string, number>;
}

/** A conversation stays where it is as long as there are at most this many requests more than twice those of the least busy deployment. */
const SPARE_REQUESTS = 8;
const BUSIER = 2;

/** By weights alone in turn, unless the requests at work, what is left of limits or the conversation decide. */
export function createBalancer(): Balancer {
  const loads = new Map<string, number>();
  const turns = new Map<string, number>();
  const loadOf = (place: Deployment) => (loads.get(placeName(place)) ?? 0) / place.weight;

  /** By weights in turn, as evenly as can be: the one that is furthest behind its share is next. */
  function inTurn(places: readonly Deployment[]): readonly Deployment[] {
    if (places.length < 2) return places;
    let next = places[0]!;
    let total = 0;
    for (const place of places) {
      total += place.weight;
      turns.set(placeName(place), (turns.get(placeName(place)) ?? 0) + place.weight);
      if (turns.get(placeName(place))! > turns.get(placeName(next))!) next = place;
    }
    turns.set(placeName(next), turns.get(placeName(next))! - total);
    return [next, ...places.filter((place) => place !== next)];
  }

  function leastBusyFirst(places: readonly Deployment[]): readonly Deployment[] {
    const least = Math.min(...places.map(loadOf));
    const first = inTurn(places.filter((place) => loadOf(place) === least));
    const others = places.filter((place) => loadOf(place) !== least);
    return [...first, ...others.sort((a, b) => loadOf(a) - loadOf(b))];
  }

  function balanced(places: readonly Deployment[], balance: Balance, use: DeploymentUse | undefined) {
    if (balance === 'weights') return inTurn(places);
    const byLoad = leastBusyFirst(places);
    if (balance === 'least_busy') return byLoad;
    const usedOf = (place: Deployment) => use?.usedShare?.(place) ?? 0;
    return [...byLoad].sort((a, b) => usedOf(a) - usedOf(b));
  }

  /** The conversation's own deployment first, unless it is much busier than the least busy one. */
  function byAffinity(places: readonly Deployment[], affinity: string): readonly Deployment[] {
    const mean = places.reduce((sum, { weight }) => sum + weight, 0) / places.length;
    const load = (place: Deployment) => loadOf(place) * mean;
    const bound = BUSIER * Math.min(...places.map(load)) + SPARE_REQUESTS;
    const ranked = rendezvousOrder(places, affinity);
    return [
      ...ranked.filter((place) => load(place) <= bound),
      ...ranked.filter((place) => load(place) > bound),
    ];
  }

  return {
    order({ model, deployments, call, use, mayTry }) {
      if (isBoundToAccount(call)) return deployments.slice(0, 1);
      const isWeighted = ({ weight }: Deployment) => weight > 0;
      const ready = deployments.filter(mayTry);
      const weighted = ready.filter(isWeighted);
      const near = weighted.filter((place) => use?.isNearLimit?.(place) === true);
      const free = weighted.filter((place) => !near.includes(place));
      const sorted = (places: readonly Deployment[]) =>
        use?.affinity === undefined || places.length < 2
          ? balanced(places, model.balance ?? 'least_busy', use)
          : byAffinity(places, use.affinity);
      const unweighted = ready.filter((place) => !isWeighted(place));
      const open = deployments.filter((place) => !ready.includes(place));
      return [...sorted(free), ...sorted(near), ...unweighted, ...open];
    },
    enter(place) {
      const name = placeName(place);
      loads.set(name, (loads.get(name) ?? 0) + 1);
      let isLeft = false;
      return () => {
        if (isLeft) return;
        isLeft = true;
        const left = loads.get(name)! - 1;
        if (left === 0) loads.delete(name);
        else loads.set(name, left);
      };
    },
    atWork: () => new Map(loads),
  };
}

/**
 * Weighted rendezvous hashing: each place draws -w / ln(u), u uniform by a hash of conversation and place, and the largest draw comes first. The
 * others stay in order when one goes, so only its conversations move (Thaler and Ravishankar, "Using name-based mappings to increase hit
 * rates", 1998; with weights Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005).
 * @param places each with a weight above 0
 */
export function rendezvousOrder(places: readonly Deployment[], affinity: string): readonly Deployment[] {
  const draws = places.map((place) => ({ place, draw: -place.weight / Math.log(uniform(affinity, place)) }));
  return draws.sort((a, b) => b.draw - a.draw).map(({ place }) => place);
}

/** Above 0 and below 1, the same everywhere for the same two texts. */
function uniform(affinity: string, { deployment }: Deployment): number {
  const bits = Number.parseInt(hash('sha256', `${deployment}\n${affinity}`, 'hex').slice(0, 12), 16);
  return (bits + 0.5) / 2 ** 48;
}

/** Files, and conversations that a provider keeps, are there under one account alone: the first deployment has all of them. */
function isBoundToAccount(call: UnroutedCall): boolean {
  const { body, dialect, operation, stored } = call;
  if (namesFile(call)) return true;
  if (dialect !== 'responses' || operation !== 'chat') return false;
  if (body['conversation'] != null || body['previous_response_id'] != null) return true;
  return body['store'] === true && stored !== true;
}
