import { PlimsollError } from '../../router/errors.ts';
import type {
  Agreement,
  CaseContent,
  Contradiction,
  GivenGrade,
  GivenGrades,
  GradedItem,
  Habits,
  LabelSurvey,
  Progress,
  ReviewDesk,
  Saved,
  Screen,
  SourceComparison,
  SourceOrder,
} from '../../router/grading/index.ts';
import { type CanonicalRow, requestMessages } from '../cases/index.ts';
import { agreementOf } from './agreement.ts';
import { comparisonsOf, contradictionsOf, ordersOf } from './comparison.ts';
import type { Entry, Graded, GradeEntry, GradeLine, GradeLog, Settlement } from './grades.ts';
import { habitsOf } from './habits.ts';
import { itemsByCase, type ReviewItem, type ReviewKey } from './key.ts';
import { dealCases, screensFor, sidesFor } from './queue.ts';
import { answerOf } from './sample.ts';

interface Parts {
  readonly key: ReviewKey;
  readonly rows: ReadonlyMap<string, CanonicalRow>;
  readonly reviewers: readonly string[];
  readonly log: GradeLog;
  readonly survey: LabelSurvey;
  /** Returns when the line is on the disk. */
  readonly append: (line: GradeLine) => void;
  readonly close: () => void;
}

/** In whose name a disagreement is settled: who sees the grades of all grades no queue. */
const LEAD = '';

/** A review on the page: queues of screens, what was graded on them, and how far the graders agree. */
export class Review implements ReviewDesk {
  readonly #parts: Parts;
  readonly #queues = new Map<string, readonly Screen[]>();
  /** Reviewer -> all screens that were in the queue, by id: one that was dealt to somebody else may be open in a browser. */
  readonly #known = new Map<string, Map<string, Screen>>();
  readonly #items: ReadonlyMap<string, readonly ReviewItem[]>;
  #reviewers: readonly string[];
  #agreement: Agreement | undefined;
  #comparisons: readonly SourceComparison[] | undefined;
  #contradictions: readonly Contradiction[] | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#items = itemsByCase(parts.key.items);
    this.#reviewers = parts.reviewers;
    this.#deal();
  }

  get reviewers(): readonly string[] {
    return this.#reviewers;
  }

  get survey(): LabelSurvey {
    return this.#parts.survey;
  }

  get candidates(): readonly string[] {
    return this.#parts.key.candidates;
  }

  /** Gives somebody a queue, who may have had one before: what nobody has graded is dealt anew. */
  join(reviewer: string): void {
    if (this.#reviewers.includes(reviewer)) return;
    this.#reviewers = [...this.#reviewers, reviewer];
    this.#deal();
  }

  /** Ends somebody's queue; what they have graded stays. */
  leave(reviewer: string): void {
    this.#reviewers = this.#reviewers.filter((one) => one !== reviewer);
    this.#deal();
  }

  /** Deals what nobody has graded to one reviewer alone; others get a part again when they join. @returns how many screens that adds */
  takeOver(reviewer: string): number {
    const before = this.queue(reviewer).length;
    this.#reviewers = [reviewer];
    this.#deal();
    return Math.max(0, this.queue(reviewer).length - before);
  }

  #deal(): void {
    const { key, log } = this.#parts;
    this.#queues.clear();
    for (const [name, cases] of dealCases(key, this.#reviewers, log.graders)) {
      const screens = screensFor(key, name, cases);
      this.#queues.set(name, this.#withoutRevealed(name, screens));
      const known = this.#known.get(name) ?? new Map<string, Screen>();
      for (const screen of screens) known.set(screen.id, screen);
      this.#known.set(name, known);
    }
  }

  /** A case is graded no more by whoever has seen what others said about it. */
  #withoutRevealed(reviewer: string, screens: readonly Screen[]): Screen[] {
    const revealed = this.#parts.log.revealedTo(reviewer);
    return screens.filter((one) => !revealed.has(one.case) || this.entryOn(reviewer, one)?.kind === 'grade');
  }

  /** In the order of the draw. */
  get cases(): readonly string[] {
    return [...this.#items.keys()];
  }

  /** In the order in which the reviewer sees them. */
  queue(reviewer: string): readonly Screen[] {
    return this.#queues.get(reviewer) ?? [];
  }

  /** Undefined if it was never in this reviewer's queue. */
  screen(reviewer: string, id: string): Screen | undefined {
    return this.#known.get(reviewer)?.get(id);
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

  content(id: string, items: readonly GradedItem[]): CaseContent {
    const row = this.#row(id);
    return {
      messages: requestMessages(row),
      reference: row.reference,
      replies: items.map(({ candidate }) => answerOf(row, candidate) ?? ''),
    };
  }

  /** @throws PlimsollError `invalid-input`: another number of grades than replies; `io`: they are not on the disk, and do not count */
  grade(reviewer: string, screen: Screen, { grades, note, revision }: GivenGrades): Saved {
    if (this.hasSeen(reviewer, screen.case)) return 'revealed';
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
    if (!this.queue(reviewer).includes(screen)) this.#deal();
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
   * @returns its screen; undefined if something else came after it, it was taken back already, or what others said about the case was seen since
   * @throws PlimsollError `io`
   */
  undo(reviewer: string, line: number): Screen | undefined {
    const last = this.lastOf(reviewer);
    if (last === undefined || last.line !== line || this.hasSeen(reviewer, last.case)) return undefined;
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

  /** Cases that somebody has graded. */
  get gradedCases(): number {
    return this.#parts.log.graders.size;
  }

  habits(reviewer: string): Habits {
    return habitsOf(this.#parts.log.gradesOf(reviewer));
  }

  /** Agreement of all reviewers with grades, those of earlier runs included. */
  agreement(): Agreement {
    if (this.#agreement !== undefined) return this.#agreement;
    const { key, log } = this.#parts;
    const ratings = log.ratings;
    const names = [...new Set([...this.reviewers, ...ratings.keys()])];
    this.#agreement = agreementOf(key, new Map(names.map((name) => [name, ratings.get(name) ?? new Map()])));
    return this.#agreement;
  }

  /** How far people say the same as each other source of labels of which reply is better. */
  comparisons(): readonly SourceComparison[] {
    this.#comparisons ??= comparisonsOf(this.#parts);
    return this.#comparisons;
  }

  /** Cases on which labels contradict one another, the strongest first. */
  contradictions(): readonly Contradiction[] {
    this.#contradictions ??= contradictionsOf(this.#parts);
    return this.#contradictions;
  }

  /** Whether somebody has seen what was said about a case. */
  hasSeen(reviewer: string, id: string): boolean {
    return this.#parts.log.revealedTo(reviewer).has(id);
  }

  /** Shows somebody what was said about a case, who then grades it no more. @throws PlimsollError `io` */
  reveal(reviewer: string, id: string): void {
    if (this.hasSeen(reviewer, id)) return;
    this.#add({ kind: 'reveal', at: now(), reviewer, case: id });
    this.#queues.set(reviewer, this.#withoutRevealed(reviewer, this.queue(reviewer)));
  }

  /** In which order the labels that the cases brought put the replies; those of one source alone are in no order. */
  othersOn(id: string, items: readonly GradedItem[]): SourceOrder[] {
    return ordersOf(this.#row(id), items);
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

  /** What each reviewer said about a case, in the order of the reviewers; twice if it came twice. */
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
    this.#comparisons = undefined;
    this.#contradictions = undefined;
  }

  #row(id: string): CanonicalRow {
    const row = this.#parts.rows.get(id);
    if (row !== undefined) return row;
    throw new PlimsollError('internal', 'A case of the review has no row.');
  }
}

function named(items: readonly GradedItem[], grades: readonly GivenGrade[]): Graded[] {
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
