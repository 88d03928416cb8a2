import { sampleCorrelation } from 'simple-statistics';

/** What a judge preferred in a pair, by the place where it stood. */
export type Verdict = 'A' | 'B' | 'tie';

/** A pair that was judged in both orders. */
interface JudgedPair {
  /** The candidate as A, and as B. */
  readonly asA: Verdict;
  readonly asB: Verdict;
  /** Characters. */
  readonly length: number;
  readonly strongLength: number;
  /** 0, .5 or 1. */
  readonly quality: number;
  readonly ownFamily: boolean;
}

/** What is known about a judge's habits. Shares are 0 to 1; undefined where there is nothing to count. */
export interface JudgeReport {
  readonly model: string;
  /** Calls that were answered, the repeated ones included. */
  readonly calls: number;
  /** Replies that were not in the form; each is repeated once. */
  readonly malformed: number;
  /** Labels that stay missing, since the judge did not answer in the form, or at all. */
  readonly missing: number;
  readonly position: {
    readonly pairs: number;
    /** Share of pairs whose verdict did not survive the swap: ties. */
    readonly unstable: number | undefined;
    /** Share of the verdicts for one of the two that went to the first; .5 without a bias. */
    readonly first: number | undefined;
  };
  readonly verbosity: {
    /** Share of the pairs with a winner, of unequal length, that the longer reply won. */
    readonly longerWins: number | undefined;
    /** The control: mean quality of the candidates' replies where both are of nearly one length (within 20 %), and where not. */
    readonly lengthMatched: { readonly pairs: number; readonly meanQuality: number | undefined };
    readonly others: { readonly pairs: number; readonly meanQuality: number | undefined };
    /** For a rubric: correlation of the score with the logarithm of the reply's length, -1 to 1. */
    readonly correlation: number | undefined;
  };
  /** Mean quality of replies by models of the judge's own family, and of others. */
  readonly selfPreference: { readonly own: number | undefined; readonly others: number | undefined };
}

/** Lengths that differ by less than this share of the longer one count as equal. */
const LENGTH_MATCHED = 0.2;

/** Counts what a judge does. */
export class JudgeTally {
  readonly #model: string;
  readonly #pairs: JudgedPair[] = [];
  readonly #scores: { readonly length: number; readonly quality: number; readonly ownFamily: boolean }[] = [];
  #calls = 0;
  #malformed = 0;
  #missing = 0;

  constructor(model: string) {
    this.#model = model;
  }

  called(inForm: boolean): void {
    this.#calls++;
    if (!inForm) this.#malformed++;
  }

  lacked(): void {
    this.#missing++;
  }

  paired(pair: JudgedPair): void {
    this.#pairs.push(pair);
  }

  scored(length: number, quality: number, ownFamily: boolean): void {
    this.#scores.push({ length, quality, ownFamily });
  }

  report(): JudgeReport {
    const pairs = this.#pairs;
    const verdicts = pairs.flatMap(({ asA, asB }) => [asA, asB]).filter((one) => one !== 'tie');
    const decided = pairs.filter((one) => one.quality !== 0.5 && one.length !== one.strongLength);
    const isMatched = ({ length, strongLength }: JudgedPair) =>
      Math.abs(length - strongLength) <= LENGTH_MATCHED * Math.max(length, strongLength);
    const graded = [...pairs, ...this.#scores];
    return {
      model: this.#model,
      calls: this.#calls,
      malformed: this.#malformed,
      missing: this.#missing,
      position: {
        pairs: pairs.length,
        unstable: shareOf(pairs, ({ asA, asB }) => flipped(asA) !== asB),
        first: shareOf(verdicts, (one) => one === 'A'),
      },
      verbosity: {
        longerWins: shareOf(decided, (one) => (one.quality === 1) === one.length > one.strongLength),
        lengthMatched: meanOf(pairs.filter(isMatched)),
        others: meanOf(pairs.filter((one) => !isMatched(one))),
        correlation: this.#correlation(),
      },
      selfPreference: {
        own: meanOf(graded.filter(({ ownFamily }) => ownFamily)).meanQuality,
        others: meanOf(graded.filter(({ ownFamily }) => !ownFamily)).meanQuality,
      },
    };
  }

  #correlation(): number | undefined {
    if (this.#scores.length < 3) return undefined;
    const lengths = this.#scores.map(({ length }) => Math.log1p(length));
    const found = sampleCorrelation(
      lengths,
      this.#scores.map(({ quality }) => quality),
    );
    return Number.isFinite(found) ? found : undefined; // all of one length, or of one score
  }
}

/** The same verdict with the places exchanged. */
export function flipped(verdict: Verdict): Verdict {
  if (verdict === 'tie') return verdict;
  return verdict === 'A' ? 'B' : 'A';
}

function shareOf<T>(all: readonly T[], is: (one: T) => boolean): number | undefined {
  return all.length === 0 ? undefined : all.filter(is).length / all.length;
}

function meanOf(all: readonly { readonly quality: number }[]) {
  const meanQuality =
    all.length === 0 ? undefined : all.reduce((sum, { quality }) => sum + quality, 0) / all.length;
  return { pairs: all.length, meanQuality };
}
