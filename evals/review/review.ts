import { PlimsollError } from '../../router/errors.ts';
import type { Message } from '../../router/types.ts';
import { type CanonicalRow, requestMessages } from '../cases/index.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import type { Entry, Graded, GradeEntry, GradeLine, GradeLog, Settlement } from './grades.ts';
import { type Habits, habitsOf } from './habits.ts';
import { itemsByCase, type ReviewItem, type ReviewKey } from './key.ts';
import { dealCases, type Screen, screensFor, sidesFor } from './queue.ts';
import { answerOf } from './sample.ts';

/** What was said of one reply, without its name. */
export type GivenGrade = Omit<Graded, 'item'>;

export interface GivenGrades {
  /** In the order in which the replies were shown. */
  readonly grades: readonly GivenGrade[];
  readonly note?: string;
  /** `line` of the entry that the person saw on the screen; 0 if there was none. */
  readonly revision: number;
}

/**
 * `saved`: it is on the disk. `same`: it was there already, as after a double press. `stale`: the person saw an older state of the screen, as
 * in a second tab, and nothing is saved.
 */
export type Saved = 'saved' | 'same' | 'stale';

/** What a person reads to grade. */
export interface CaseContent {
  readonly messages: readonly Message[];
  /** What is right, if the case says so. */
  readonly reference: unknown;
  /** In the order of the items. */
  readonly replies: readonly string[];
}

export interface Progress {
  readonly graded: number;
  readonly skipped: number;
  readonly total: number;
}

interface Parts {
  readonly key: ReviewKey;
  readonly rows: ReadonlyMap<string, CanonicalRow>;
  readonly reviewers: readonly string[];
  readonly log: GradeLog;
  /** Returns when the line is on the disk. */
  readonly append: (line: GradeLine) => void;
  readonly close: () => void;
}

/** In whose name a disagreement is settled: who sees the grades of all grades no queue. */
const LEAD = '';

/** A review on the page: queues of screens, what was graded on them, and how far the graders agree. */
export class Review {
  readonly #parts: Parts;
  readonly #queues: ReadonlyMap<string, readonly Screen[]>;
  readonly #items: ReadonlyMap<string, readonly ReviewItem[]>;
  #agreement: Agreement | undefined;

  constructor(parts: Parts) {
    const { key, reviewers, log } = parts;
    this.#parts = parts;
    this.#items = itemsByCase(key.items);
    this.#queues = new Map(
      [...dealCases(key, reviewers, log.graders)].map(([name, cases]) => [
        name,
        screensFor(key, name, cases),
      ]),
    );
  }

  get reviewers(): readonly string[] {
    return this.#parts.reviewers;
  }

  /** In the order of the draw. */
  get cases(): readonly string[] {
    return [...this.#items.keys()];
  }

  /** In the order in which the reviewer sees them. */
  queue(reviewer: string): readonly Screen[] {
    return this.#queues.get(reviewer) ?? [];
  }

  /** Undefined if it is none of this reviewer's. */
  screen(reviewer: string, id: string): Screen | undefined {
    return this.queue(reviewer).find((one) => one.id === id);
  }

  /** The first screen without grades that was not skipped; else the first skipped one after a screen; undefined if there is none. */
  next(reviewer: string, after?: Screen): Screen | undefined {
    const queue = this.queue(reviewer);
    const open = queue.find((one) => this.entryOn(reviewer, one) === undefined);
    if (open !== undefined) return open;
    const from = after === undefined ? 0 : queue.indexOf(after) + 1;
    return queue.slice(from).find((one) => this.entryOn(reviewer, one)?.kind === 'skip');
  }

  /** What was done on a screen and counts. */
  entryOn(reviewer: string, { id }: Screen): Entry | undefined {
    return this.#parts.log.on(reviewer, id);
  }

  /** What `undo` would take back. */
  lastOf(reviewer: string): Entry | undefined {
    return this.#parts.log.lastOf(reviewer);
  }

  content(id: string, items: readonly ReviewItem[]): CaseContent {
    const row = this.#row(id);
    return {
      messages: requestMessages(row),
      reference: row.reference,
      replies: items.map(({ candidate }) => answerOf(row, candidate) ?? ''),
    };
  }

  /** @throws PlimsollError `invalid-input`: another number of grades than replies; `io`: they are not on the disk, and do not count */
  grade(reviewer: string, screen: Screen, { grades, note, revision }: GivenGrades): Saved {
    const before = this.entryOn(reviewer, screen);
    const given = named(screen.items, grades);
    if (before?.kind === 'grade' && isSame(before, given, note)) return 'same';
    if ((before?.line ?? 0) !== revision) return 'stale';
    this.#add({
      kind: 'grade',
      at: now(),
      reviewer,
      screen: screen.id,
      case: screen.case,
      repeat: screen.isRepeat,
      grades: given,
      ...(note !== undefined && { note }),
    });
    return 'saved';
  }

  /** Puts a screen off that has no grades. @throws PlimsollError `io` */
  skip(reviewer: string, screen: Screen, revision: number): Saved {
    const before = this.entryOn(reviewer, screen);
    if (before?.kind === 'skip') return 'same';
    if (before !== undefined || revision !== 0) return 'stale';
    this.#add({ kind: 'skip', at: now(), reviewer, screen: screen.id, case: screen.case });
    return 'saved';
  }

  /**
   * Takes the last of a reviewer's entries back, if it is still this one.
   * @returns its screen; undefined if something else came after it, or it was taken back already
   * @throws PlimsollError `io`
   */
  undo(reviewer: string, line: number): Screen | undefined {
    const last = this.lastOf(reviewer);
    if (last === undefined || last.line !== line) return undefined;
    this.#add({ kind: 'undo', at: now(), reviewer, line });
    return this.screen(reviewer, last.screen);
  }

  progress(reviewer: string): Progress {
    const entries = this.queue(reviewer).map((one) => this.entryOn(reviewer, one)?.kind);
    return {
      graded: entries.filter((kind) => kind === 'grade').length,
      skipped: entries.filter((kind) => kind === 'skip').length,
      total: entries.length,
    };
  }

  habits(reviewer: string): Habits {
    return habitsOf(this.#parts.log.gradesOf(reviewer));
  }

  /** Of all reviewers with grades, also of earlier runs. */
  agreement(): Agreement {
    if (this.#agreement !== undefined) return this.#agreement;
    const { key, log } = this.#parts;
    const ratings = log.ratings;
    const names = [...new Set([...this.reviewers, ...ratings.keys()])];
    this.#agreement = agreementOf(key, new Map(names.map((name) => [name, ratings.get(name) ?? new Map()])));
    return this.#agreement;
  }

  /** Cases on which reviewers disagree, or that have a reply of which nobody could tell: in the order of the draw, settled or not. */
  casesToSettle(): string[] {
    const { log } = this.#parts;
    const { undecided } = log;
    const different = new Set(this.agreement().disagreements);
    return this.cases.filter(
      (id) =>
        different.has(id) ||
        log.settled.has(id) ||
        this.#items.get(id)?.some(({ item }) => undecided.has(item)),
    );
  }

  /** The replies of a case in the order in which who settles it sees them. */
  itemsToSettle(id: string): readonly ReviewItem[] {
    return sidesFor(this.#parts.key, LEAD, this.#items.get(id) ?? []);
  }

  /** What each reviewer said of a case, in the order of the reviewers; twice if it came twice. */
  gradesOn(id: string): GradeEntry[] {
    const { log } = this.#parts;
    const names = new Set([...this.reviewers, ...log.ratings.keys()]);
    return [...names].flatMap((name) => log.gradesOf(name).filter((one) => one.case === id));
  }

  settlementOf(id: string): Settlement | undefined {
    return this.#parts.log.settled.get(id);
  }

  /** What counts of a case whatever its reviewers said. @throws PlimsollError as grade */
  settle(id: string, { grades, note, revision }: GivenGrades): Saved {
    const before = this.settlementOf(id);
    const given = named(this.itemsToSettle(id), grades);
    if (before !== undefined && isSame(before, given, note)) return 'same';
    if ((before?.line ?? 0) !== revision) return 'stale';
    this.#add({ kind: 'settle', at: now(), case: id, grades: given, ...(note !== undefined && { note }) });
    return 'saved';
  }

  /** Lets other processes open it. */
  close(): void {
    this.#parts.close();
  }

  #add(line: GradeLine): void {
    this.#parts.append(line);
    this.#parts.log.add(line);
    this.#agreement = undefined;
  }

  #row(id: string): CanonicalRow {
    const row = this.#parts.rows.get(id);
    if (row !== undefined) return row;
    throw new PlimsollError('internal', 'A case of the review has no row.');
  }
}

function named(items: readonly ReviewItem[], grades: readonly GivenGrade[]): Graded[] {
  if (grades.length !== items.length) {
    throw new PlimsollError(
      'invalid-input',
      `There are ${items.length} replies, and ${grades.length} grades.`,
    );
  }
  return grades.map((one, at) => ({ item: items[at]?.item ?? '', ...one }));
}

function isSame(
  before: { readonly grades: readonly Graded[]; readonly note?: string | undefined },
  grades: readonly Graded[],
  note: string | undefined,
): boolean {
  const plain = (all: readonly Graded[]) => all.map(({ item, grade, score }) => [item, grade, score ?? null]);
  return (
    JSON.stringify(plain(before.grades)) === JSON.stringify(plain(grades)) &&
    (before.note ?? '') === (note ?? '')
  );
}

function now(): string {
  return new Date().toISOString();
}
