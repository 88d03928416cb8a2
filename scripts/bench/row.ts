/** The middle of several rounds and how far they lie apart. */
export interface Spread {
  /** Rounds; each has many samples of its own, `Row.samples` says how many. */
  readonly n: number;
  readonly median: number;
  /** The lowest and the highest round. */
  readonly low: number;
  readonly high: number;
}

/** What the figure is held against. `aim` is where we want to be, `required` where we must be. */
export interface Target {
  readonly of: 'value' | 'ratio';
  readonly is: 'at most' | 'at least';
  readonly required: number;
  readonly aim?: number;
}

/** One measured figure, and the floor or peer that was measured in turns with it. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly value: Spread;
  /** How many samples lie behind each round. */
  readonly samples: number;
  readonly peer: { readonly what: string; readonly value: Spread } | null;
  /** Why there is no peer, where one was wanted. */
  readonly peer_missing?: string;
  /** value / peer, round by round. */
  readonly ratio: Spread | null;
  readonly target: Target | null;
  readonly notes: readonly string[];
}

/** A row and what came of its target: null where there is none, or where what it asks for could not be measured. */
export interface JudgedRow extends Row {
  readonly met: boolean | null;
  readonly aim_met: boolean | null;
}

export function judged(row: Row): JudgedRow {
  const { target } = row;
  const figure = target && row[target.of]?.median;
  if (!target || figure === undefined || figure === null) return { ...row, met: null, aim_met: null };
  const reaches = (bound: number) => (target.is === 'at most' ? figure <= bound : figure >= bound);
  return {
    ...row,
    met: reaches(target.required),
    aim_met: target.aim === undefined ? null : reaches(target.aim),
  };
}
