import type { Outcome } from '../../router/types.ts';

/** Labels of a judge among those of the cases, and what people say about some of them. */
export interface JudgedLabels {
  /** Cases that a judge labelled: [case], 1 or 0. */
  readonly judged: Uint8Array;
  /** Those of them that people (or graders) labelled too, all models of the ladder. */
  readonly audited: Uint8Array;
  /** What people say, [rung][case]; read for audited cases alone. NaN if the case lacks the outcome. */
  readonly people: readonly Float64Array[];
}

interface JudgedRow {
  /** One a rung; undefined if the judge did not label it. */
  readonly judge: readonly (number | undefined)[];
  readonly trusted: readonly number[];
  /** A label that counts is the judge's. */
  readonly rests: boolean;
}

/** Collects the cases in which a judge had a say. Takes nothing for the others. */
export class JudgedRows {
  readonly #rows = new Map<number, JudgedRow>();

  /** @param outcomes of the ladder's models, undefined for one that is missing */
  add(row: number, outcomes: readonly (Outcome | undefined)[]): void {
    if (!outcomes.some((one) => one?.labelSource === 'judge' || one?.judgedQuality !== undefined)) return;
    this.#rows.set(row, {
      judge: outcomes.map(
        (one) => one?.judgedQuality ?? (one?.labelSource === 'judge' ? one.quality : undefined),
      ),
      trusted: outcomes.map((one) => one?.quality ?? Number.NaN),
      rests: outcomes.some((one) => one?.labelSource === 'judge'),
    });
  }

  /**
   * Puts the judge's labels into the columns, so that they are the judge's throughout, and people's beside them.
   * @param quality [rung][case], changed in place
   * @returns undefined, and nothing is changed, if no label that counts is a judge's: then people labelled all that the judge did
   */
  finish(quality: readonly Float64Array[]): JudgedLabels | undefined {
    if (![...this.#rows.values()].some(({ rests }) => rests)) return undefined;
    const n = quality[0]!.length;
    const [judged, audited] = [new Uint8Array(n), new Uint8Array(n)];
    const people = quality.map((column) => column.slice());
    for (const [row, { judge, trusted, rests }] of this.#rows) {
      judged[row] = 1;
      audited[row] = Number(!rests);
      quality.forEach((column, rung) => {
        column[row] = judge[rung] ?? trusted[rung]!;
      });
    }
    return { judged, audited, people };
  }
}
