import type { Message } from '../types.ts';
import type { GivenGrade, GivenGrades } from './grades.ts';

/** A reply to be graded. */
export interface GradedItem {
  readonly item: string;
  readonly case: string;
  /** The candidate that wrote it, for people who compare labels; never on a page for grading. */
  readonly candidate: string;
}

/** One case as one reviewer sees it. */
export interface Screen {
  /** Says nothing of case or candidates. */
  readonly id: string;
  readonly case: string;
  /** In the order in which the replies are shown: A, B, … */
  readonly items: readonly GradedItem[];
  /** It was shown before, the other way round. */
  readonly isRepeat: boolean;
}

/** What a person reads to grade. */
export interface CaseContent {
  readonly messages: readonly Message[];
  /** What is right, if the case says so. */
  readonly reference: unknown;
  /** In the order of the items. */
  readonly replies: readonly string[];
}

/** What somebody did on a screen, or said about a case. */
export interface ScreenEntry {
  readonly kind: 'grade' | 'skip';
  /** Its position in the file, from 1. */
  readonly line: number;
  /** A time, ISO 8601. */
  readonly at: string;
  readonly screen: string;
  /** The grades, in the order in which the replies were shown. */
  readonly grades?: readonly (GivenGrade & { readonly item: string })[];
  readonly note?: string | undefined;
}

export interface CaseGrades {
  readonly reviewer: string;
  readonly repeat: boolean;
  readonly grades: readonly (GivenGrade & { readonly item: string })[];
  readonly note?: string | undefined;
}

export interface CaseSettlement {
  readonly line: number;
  readonly at: string;
  readonly grades: readonly (GivenGrade & { readonly item: string })[];
  readonly note?: string | undefined;
}

export interface Progress {
  readonly graded: number;
  readonly skipped: number;
  readonly total: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** `count` of `n`, with the exact 95 % interval of the share; undefined without any. */
export interface Share {
  readonly count: number;
  readonly n: number;
  readonly interval: Interval | undefined;
}

/** How a reviewer grades, whatever the replies are worth. */
export interface Habits {
  /** Those of the cases shown again with swapped sides on which a grade changed. */
  readonly changed: Share;
  /** Those of the screens with one best reply on which it was the first one. About 1 / replies without a bias. */
  readonly firstBest: Share;
  /** Those of the graded replies that could not be judged. */
  readonly unclear: Share;
}

/** A coefficient of agreement, 1 if all agree, 0 if no more than by chance. */
export interface Coefficient {
  /** Undefined without a common item, or if chance alone agrees on everything. */
  readonly value: number | undefined;
  /** 95 %, by a bootstrap over cases: a description. Undefined for fewer than 10 cases, and if nobody disagrees, where it would have no width at any n. */
  readonly interval: Interval | undefined;
  /** Items with ratings of two reviewers or more, and the cases that they are of. */
  readonly items: number;
  readonly cases: number;
}

export interface PairAgreement {
  readonly reviewers: readonly [string, string];
  readonly kappa: Coefficient;
  /** Cases of both on which they agree on every reply, with the exact 95 % interval of that share; undefined without a case. */
  readonly equal: { readonly cases: number; readonly interval: Interval } | undefined;
}

export interface Agreement {
  /** Cohen's kappa of each two reviewers. */
  readonly pairs: readonly PairAgreement[];
  /** Krippendorff's alpha of all reviewers: `nominal` for pairs, `interval` for grades of single replies. */
  readonly alpha: Coefficient;
  /** Cases whose reviewers disagree on a reply, in the order of the key. */
  readonly disagreements: readonly string[];
}

/**
 * `saved`: it is on the disk. `same`: it was there already, as after a double press. `stale`: the person saw an older state of the screen, as
 * in a second tab, and nothing is saved. `revealed`: the person has seen what others said about the case since, and nothing is saved.
 */
export type Saved = 'saved' | 'same' | 'stale' | 'revealed';

/** How many labels of one source there are. */
export interface LabelCount {
  /** `judge`, `grader`, `human`, `feedback` or what the cases say; undefined: they do not say. */
  readonly source: string | undefined;
  readonly model: string;
  readonly labels: number;
  /** Their mean quality, 0 to 1. */
  readonly meanQuality: number;
}

/** Calls of one model that `plimsoll label` made, for replies to grade or for a judge's word on them. */
export interface LabelCalls {
  readonly model: string;
  readonly isOfJudge: boolean;
  /** Those that replied. */
  readonly calls: number;
  /** US dollars: what they cost, or of one without a reported usage the most that it can have cost. */
  readonly usd: number;
}

/** What is in the files of the cases, and in the journals beside them. */
export interface LabelSurvey {
  readonly cases: number;
  /** Those with a reply of each model, which people can grade. */
  readonly reviewable: number;
  /** Those with a label of each model and not all replies. */
  readonly withoutReplies: number;
  readonly counts: readonly LabelCount[];
  /** US dollars for the replies whose cost is known, and how many these are of all. */
  readonly spent: { readonly usd: number; readonly known: number; readonly outcomes: number };
  readonly calls: {
    /** Files of cases that have a journal, of how many. */
    readonly journals: number;
    readonly of: number;
    readonly byCaller: readonly LabelCalls[];
    /** US dollars that calls may have cost whose reply was lost. */
    readonly lostUsd: number;
    /** A sentence for each journal that cannot be read. */
    readonly faults: readonly string[];
  };
}

/** What people say about a cheaper model against the strongest, and what another source of labels says. */
export interface SourceComparison {
  /** `judge`, `grader` or what the cases say. */
  readonly source: string;
  readonly model: string;
  /** Cases on which both say the same: the strongest is better, the cheaper one is, or neither. */
  readonly same: Share;
  /** Cohen's kappa of these three words. */
  readonly kappa: Coefficient;
  /** Mean of what the cheaper model loses by people, less by the source, -2 to 2. */
  readonly meanDifference: number;
}

/** The replies of a case as one source of labels orders them. */
export interface SourceOrder {
  readonly source: string;
  /** The places of the replies in the order shown, from 0, the best first; those that it finds alike are together. */
  readonly places: readonly (readonly number[])[];
}

/** A case on which labels contradict one another. */
export interface Contradiction {
  readonly case: string;
  /** How far the most distant two reviewers are apart on one reply, 0 to 1; undefined if only one graded it. */
  readonly betweenPeople: number | undefined;
  /** How far people and the other label are apart on what a cheaper model loses, 0 to 2; undefined without such a label. */
  readonly fromOthers: number | undefined;
  /** For a reply that nobody could grade. */
  readonly isUndecided: boolean;
  readonly isSettled: boolean;
}

/** A review that people do on a page: queues, grades, and how far all labels agree. */
export interface ReviewDesk {
  readonly survey: LabelSurvey;
  /** Names of the models, cheapest first. */
  readonly candidates: readonly string[];
  /** In the order of the draw. */
  readonly cases: readonly string[];
  /** Those who have a queue. */
  readonly reviewers: readonly string[];
  /** Gives somebody a queue, who may have had one before. */
  join(reviewer: string): void;
  /** Ends somebody's queue; what they have graded stays. */
  leave(reviewer: string): void;
  /** Deals what others have not graded to one reviewer; who comes back is dealt a part again. @returns how many screens that adds */
  takeOver(reviewer: string): number;
  queue(reviewer: string): readonly Screen[];
  screen(reviewer: string, id: string): Screen | undefined;
  next(reviewer: string, after?: Screen): Screen | undefined;
  entryOn(reviewer: string, screen: Screen): ScreenEntry | undefined;
  lastOf(reviewer: string): ScreenEntry | undefined;
  content(id: string, items: readonly GradedItem[]): CaseContent;
  grade(reviewer: string, screen: Screen, given: GivenGrades): Saved;
  skip(reviewer: string, screen: Screen, revision: number): Saved;
  undo(reviewer: string, line: number): Screen | undefined;
  progress(reviewer: string): Progress;
  /** Cases that somebody has graded, of all. */
  readonly gradedCases: number;
  habits(reviewer: string): Habits;
  agreement(): Agreement;
  comparisons(): readonly SourceComparison[];
  /** The strongest first. */
  contradictions(): readonly Contradiction[];
  /** Those that the page of `plimsoll review serve` lists: in the order of the draw. */
  casesToSettle(): readonly string[];
  /** Whether somebody has seen what was said about a case. */
  hasSeen(reviewer: string, id: string): boolean;
  /** Shows somebody what was said about a case, who grades it no more. @throws PlimsollError `io` */
  reveal(reviewer: string, id: string): void;
  itemsToSettle(id: string): readonly GradedItem[];
  gradesOn(id: string): readonly CaseGrades[];
  settlementOf(id: string): CaseSettlement | undefined;
  settle(id: string, given: GivenGrades): Saved;
  /** In which order each other source puts the replies; a quality would tell whose a reply is. */
  othersOn(id: string, items: readonly GradedItem[]): readonly SourceOrder[];
  close(): void;
}
