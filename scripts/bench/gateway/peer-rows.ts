import { inTurns, quantile, type Row, ratios, spread, type Target } from '../measurement.ts';
import type { Side, SideName, Sides } from './sides.ts';

/** Figures of each side, one per round; undefined if the side was not measured. */
export interface Figures extends Readonly<Record<Exclude<SideName, 'portkey'>, readonly number[]>> {
  readonly portkey: readonly number[] | undefined;
}

interface PeerRowOptions {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly samples: number;
  readonly targets: Readonly<Record<'portkey' | 'bare', Target>>;
  readonly notes: readonly string[];
  /** Portkey's version, or why it is missing. */
  readonly portkey: string;
}

type Measure = (side: Side) => Promise<readonly number[]>;

/** The results of a side, round by round. */
type Rounds = readonly (readonly number[])[];

/** Per round: short enough that kept connections outlast the turns of the others. */
export const SLICES = 10;

/** Measures every side in turns. A round may give several figures: one `Figures` for each. */
export async function measureSides(sides: Sides, rounds: number, measure: Measure): Promise<Figures[]> {
  return toFigures(await sidesInTurns(sides, { rounds, warmUp: 1 }, measure));
}

/**
 * Measures quantiles of times on every side: one `Figures` for each quantile. A side's round is cut into slices that alternate with
 * those of the others, so that a pause of the machine affects all of them.
 * @param slice measures the times of one slice
 */
export async function measureTimes(
  sides: Sides,
  rounds: number,
  slice: Measure,
  quantiles: readonly number[],
): Promise<Figures[]> {
  const results = await sidesInTurns(sides, { rounds: rounds * SLICES, warmUp: SLICES }, slice);
  return toFigures(new Map([...results].map(([name, slices]) => [name, roundQuantiles(slices, quantiles)])));
}

/** Quantiles of the times of each round, which was measured in slices. */
export function roundQuantiles(slices: Rounds, quantiles: readonly number[]): Rounds {
  return Array.from({ length: slices.length / SLICES }, (_, round) => {
    const times = slices.slice(round * SLICES, (round + 1) * SLICES).flat();
    return quantiles.map((p) => quantile(times, p));
  });
}

/** What each side adds to the time of a direct request, round by round; `direct` is unchanged. */
export function addedToDirect({ direct, bare, portkey, plimsoll }: Figures): Figures {
  const added = (figures: readonly number[]) =>
    figures.map((figure, round) => figure - (direct[round] ?? Number.NaN));
  return {
    direct,
    bare: added(bare),
    portkey: portkey && added(portkey),
    plimsoll: added(plimsoll),
  };
}

/** One row for the comparison with each peer. */
export function peerRows(figures: Figures, { targets, portkey, ...row }: PeerRowOptions): Row[] {
  const value = spread(figures.plimsoll);
  const compare = (peer: 'portkey' | 'bare', what: string): Row => {
    const peers = figures[peer];
    const notes = [...row.notes, ...omissionNotes(peers)];
    const base = { ...row, name: `${row.name} / ${peer}`, value, target: targets[peer], notes };
    if (peers === undefined) return { ...base, peer: null, peer_missing: what, ratio: null };
    return { ...base, peer: { what, value: spread(peers) }, ratio: peerRatios(figures.plimsoll, peers) };
  };
  return [compare('portkey', portkey), compare('bare', 'a bare Express 5 and undici pass-through')];
}

/** Rounds in which the peer added nothing have no ratio and are left out; null if none is left. */
function peerRatios(figures: readonly number[], peers: readonly number[]): Row['ratio'] {
  const counts = (_: number, round: number) => (peers[round] ?? 0) > 0;
  const counted = figures.filter(counts);
  return counted.length === 0 ? null : ratios(counted, peers.filter(counts));
}

function omissionNotes(peers: readonly number[] | undefined): string[] {
  const omitted = peers?.filter((peer) => peer <= 0).length ?? 0;
  return omitted === 0 ? [] : [`${omitted} rounds left out of the ratio: the peer added nothing measurable`];
}

async function sidesInTurns(
  sides: Sides,
  turns: { readonly rounds: number; readonly warmUp: number },
  measure: Measure,
): Promise<ReadonlyMap<SideName, Rounds>> {
  const present = (Object.entries(sides) as [SideName, Side | undefined][]).flatMap(([name, side]) =>
    side === undefined ? [] : [{ name, side }],
  );
  const results = await inTurns(
    present.map(
      ({ side }) =>
        () =>
          measure(side),
    ),
    turns,
  );
  return new Map(present.map(({ name }, i) => [name, results[i] ?? []]));
}

/** One `Figures` for each figure that a round gives. */
function toFigures(results: ReadonlyMap<SideName, Rounds>): Figures[] {
  const [firstRound = []] = results.get('direct') ?? [];
  return firstRound.map((_, i) => {
    const figures = (name: SideName) => (results.get(name) ?? []).map((round) => round[i] ?? Number.NaN);
    return {
      direct: figures('direct'),
      bare: figures('bare'),
      portkey: results.has('portkey') ? figures('portkey') : undefined,
      plimsoll: figures('plimsoll'),
    };
  });
}
