import { inTurns, quantile, type Row, ratios, spread, type Target } from '../measurement.ts';
import type { Side, SideName, Sides } from './sides.ts';

/** Figures of each side, one a round. */
export type Figures = Readonly<Record<SideName, readonly number[] | undefined>>;

type Measure = (side: Side) => Promise<readonly number[]>;

/** Measures every side in turns. A round of a side may give several figures: one `Figures` for each. */
export async function measureSides(sides: Sides, rounds: number, measure: Measure): Promise<Figures[]> {
  return figuresOf(await sidesInTurns(sides, { rounds, warmUp: 1 }, measure));
}

/** Of a round: short enough that kept connections outlast the turns of the others. */
export const SLICES = 10;

/**
 * Quantiles of times that every side is measured for: one `Figures` for each. A side's round is cut into slices, between which the others have
 * theirs: while the machine stands still it does so for all of them.
 * @param slice the times of one
 */
export async function measureTimes(
  sides: Sides,
  rounds: number,
  slice: Measure,
  quantiles: readonly number[],
): Promise<Figures[]> {
  const found = await sidesInTurns(sides, { rounds: rounds * SLICES, warmUp: SLICES }, slice);
  const quantilesOf = (slices: Rounds): Rounds =>
    Array.from({ length: rounds }, (_, round) => {
      const times = slices.slice(round * SLICES, (round + 1) * SLICES).flat();
      return quantiles.map((p) => quantile(times, p));
    });
  return figuresOf(new Map([...found].map(([name, slices]) => [name, quantilesOf(slices)])));
}

/** What each round of a side gave. */
type Rounds = readonly (readonly number[])[];

async function sidesInTurns(
  sides: Sides,
  turns: { readonly rounds: number; readonly warmUp: number },
  measure: Measure,
): Promise<ReadonlyMap<SideName, Rounds>> {
  const names = (Object.keys(sides) as SideName[]).filter((name) => sides[name] !== undefined);
  const found = await inTurns(
    names.map((name) => () => measure(sides[name]!)),
    turns,
  );
  return new Map(names.map((name, at) => [name, found[at]!]));
}

function figuresOf(found: ReadonlyMap<SideName, Rounds>): Figures[] {
  return found.get('direct')![0]!.map((_, at) => {
    const of = (name: SideName) => found.get(name)?.map((figures) => figures[at]!);
    return { direct: of('direct'), bare: of('bare'), portkey: of('portkey'), plimsoll: of('plimsoll') };
  });
}

/** What each side adds to the upstream asked directly, round by round; `direct` stays as it was. */
export function addedToDirect(figures: Figures): Figures {
  const added = (name: SideName) => figures[name]?.map((figure, round) => figure - figures.direct![round]!);
  return { ...figures, bare: added('bare'), portkey: added('portkey'), plimsoll: added('plimsoll') };
}

interface PeerRows {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly samples: number;
  readonly targets: Readonly<Record<'portkey' | 'bare', Target>>;
  readonly notes: readonly string[];
  /** Portkey's version, or why it is missing. */
  readonly portkey: string;
}

/** One row beside each peer. */
export function peerRows(figures: Figures, { targets, portkey, ...row }: PeerRows): Row[] {
  const value = spread(figures.plimsoll!);
  const beside = (peer: 'portkey' | 'bare', what: string): Row => {
    const peers = figures[peer];
    const notes = [...row.notes, ...notesOf(peers)];
    const base = { ...row, name: `${row.name} / ${peer}`, value, target: targets[peer], notes };
    if (peers === undefined) return { ...base, peer: null, peer_missing: what, ratio: null };
    return { ...base, peer: { what, value: spread(peers) }, ratio: ratioOf(figures.plimsoll!, peers) };
  };
  return [beside('portkey', portkey), beside('bare', 'a bare Express 5 and undici pass-through')];
}

/** Rounds in which the peer added nothing say nothing of a ratio and are left out; null where none is left. */
function ratioOf(figures: readonly number[], peers: readonly number[]): Row['ratio'] {
  const rounds = peers.flatMap((peer, round) => (peer > 0 ? [round] : []));
  if (rounds.length === 0) return null;
  return ratios(
    rounds.map((round) => figures[round]!),
    rounds.map((round) => peers[round]!),
  );
}

function notesOf(peers: readonly number[] | undefined): string[] {
  const without = peers?.filter((peer) => peer <= 0).length ?? 0;
  return without === 0 ? [] : [`${without} rounds left out of the ratio: the peer added nothing measurable`];
}
