import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { z } from 'zod';
import { PlimsollError, systemErrorCode } from '../../router/errors.ts';
import { BEST_SCORE, GRADES, LONGEST_NOTE } from '../../router/grading/index.ts';
import { parseJson } from '../../router/json/index.ts';
import { mean } from '../../router/statistics/index.ts';
import type { ReviewKey } from './key.ts';

const gradedSchema = z.strictObject({
  item: z.string(),
  grade: z.enum(GRADES),
  /** Finer than the grade, and then the quality in its place: score / 10. */
  score: z.int().min(0).max(BEST_SCORE).optional(),
});
/** What was said about one reply. */
export type Graded = Readonly<z.infer<typeof gradedSchema>>;

const entry = {
  at: z.iso.datetime(),
  reviewer: z.string(),
  screen: z.string(),
  case: z.string(),
};
const note = z.string().max(LONGEST_NOTE).optional();

const lineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('review'), version: z.literal(1) }),
  z.strictObject({
    kind: z.literal('grade'),
    ...entry,
    repeat: z.boolean(),
    /** In the order in which the replies were shown. */
    grades: z.array(gradedSchema).min(1),
    note,
  }),
  z.strictObject({ kind: z.literal('skip'), ...entry }),
  /** `line`, from 1, no longer counts. */
  z.strictObject({ kind: z.literal('undo'), at: entry.at, reviewer: z.string(), line: z.int().positive() }),
  /** Who saw what others said about a case grades it no more. */
  z.strictObject({ kind: z.literal('reveal'), at: entry.at, reviewer: z.string(), case: z.string() }),
  z.strictObject({
    kind: z.literal('settle'),
    at: entry.at,
    case: z.string(),
    grades: z.array(gradedSchema).min(1),
    note,
  }),
]);
export type GradeLine = z.infer<typeof lineSchema>;

type Of<K extends GradeLine['kind']> = Readonly<Extract<GradeLine, { kind: K }>> & {
  /** Its position in the file, from 1. */
  readonly line: number;
};
export type GradeEntry = Of<'grade'>;
export type Settlement = Of<'settle'>;
export type Entry = GradeEntry | Of<'skip'>;

export const FIRST_LINE: GradeLine = { kind: 'review', version: 1 };

/** What reviewers did, in the order of the file of grades; what was undone no longer counts. */
export class GradeLog {
  #lines = 0;
  readonly #entries = new Map<string, Entries>();
  readonly #settled = new Map<string, Settlement>();
  readonly #revealed = new Map<string, Set<string>>();

  get isEmpty(): boolean {
    return this.#lines === 0;
  }

  add(line: GradeLine): void {
    this.#lines++;
    if (line.kind === 'settle') this.#settled.set(line.case, { ...line, line: this.#lines });
    else if (line.kind === 'reveal')
      this.#revealed.set(line.reviewer, this.revealedTo(line.reviewer).add(line.case));
    else if (line.kind === 'undo') this.#of(line.reviewer).remove(line.line);
    else if (line.kind !== 'review') this.#of(line.reviewer).add({ ...line, line: this.#lines });
  }

  /** The last that a reviewer did and did not undo. */
  lastOf(reviewer: string): Entry | undefined {
    return this.#of(reviewer).all.at(-1);
  }

  /** What counts on a screen: the last that its reviewer did there. */
  on(reviewer: string, screen: string): Entry | undefined {
    return this.#of(reviewer).on(screen);
  }

  /** What counts of a reviewer: the last grades of each screen, in the order of the file. */
  gradesOf(reviewer: string): GradeEntry[] {
    const entries = this.#of(reviewer);
    return entries.all.filter(
      (one) => one.kind === 'grade' && entries.on(one.screen) === one,
    ) as GradeEntry[];
  }

  /** Reviewer -> item -> quality, 0 to 1, of the reviewers with a rating. */
  get ratings(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    const all = [...this.#entries.keys()].map((name) => [name, this.#ratingsOf(name)] as const);
    return new Map(all.filter(([, given]) => given.size > 0));
  }

  /** Items of which a reviewer could not tell, no other reviewer could either, and nobody has settled. */
  get undecided(): ReadonlySet<string> {
    const decided = new Set([...this.ratings.values()].flatMap((given) => [...given.keys()]));
    for (const { grades } of this.#settled.values()) {
      for (const one of grades) if (qualityOf(one) !== undefined) decided.add(one.item);
    }
    const given = [...this.#entries.keys()].flatMap((name) => this.gradesOf(name));
    const items = given.flatMap(({ grades }) => grades.map(({ item }) => item));
    return new Set(items.filter((item) => !decided.has(item)));
  }

  /** Case -> who has graded it. */
  get graders(): ReadonlyMap<string, ReadonlySet<string>> {
    const graders = new Map<string, Set<string>>();
    for (const name of this.#entries.keys()) {
      for (const one of this.gradesOf(name)) {
        graders.set(one.case, (graders.get(one.case) ?? new Set()).add(name));
      }
    }
    return graders;
  }

  /** Cases of which somebody has seen what others said. */
  revealedTo(reviewer: string): Set<string> {
    return this.#revealed.get(reviewer) ?? new Set();
  }

  /** Case -> how a disagreement was settled. */
  get settled(): ReadonlyMap<string, Settlement> {
    return this.#settled;
  }

  /** Item -> quality, 0 to 1: the mean of what a reviewer said about it, once or, after a swap, twice. What cannot be told is left out. */
  #ratingsOf(reviewer: string): Map<string, number> {
    const given = new Map<string, number[]>();
    for (const one of this.gradesOf(reviewer).flatMap(({ grades }) => grades)) {
      const quality = qualityOf(one);
      if (quality !== undefined) given.set(one.item, [...(given.get(one.item) ?? []), quality]);
    }
    return new Map([...given].map(([item, qualities]) => [item, mean(qualities)]));
  }

  #of(reviewer: string): Entries {
    const known = this.#entries.get(reviewer);
    if (known !== undefined) return known;
    const made = new Entries();
    this.#entries.set(reviewer, made);
    return made;
  }
}

/** What one reviewer did, also by screen: a queue asks for each of its screens. */
class Entries {
  readonly all: Entry[] = [];
  readonly #byScreen = new Map<string, Entry[]>();

  on(screen: string): Entry | undefined {
    return this.#byScreen.get(screen)?.at(-1);
  }

  add(entry: Entry): void {
    this.all.push(entry);
    const known = this.#byScreen.get(entry.screen);
    if (known === undefined) this.#byScreen.set(entry.screen, [entry]);
    else known.push(entry);
  }

  remove(line: number): void {
    const at = this.all.findLastIndex((one) => one.line === line);
    const [entry] = at < 0 ? [] : this.all.splice(at, 1);
    if (entry === undefined) return;
    this.#byScreen.set(
      entry.screen,
      (this.#byScreen.get(entry.screen) ?? []).filter((one) => one !== entry),
    );
  }
}

/** 0 to 1; undefined if it cannot be told. */
export function qualityOf({ grade, score }: Graded): number | undefined {
  if (grade === 'unclear') return undefined;
  return score === undefined ? Number(grade === 'good') : score / BEST_SCORE;
}

/**
 * @param lines the whole lines of the file
 * @throws PlimsollError `invalid-input`, naming file and line: it is no file of grades, or one of another review
 */
export function parseGrades(file: string, lines: readonly string[], key: ReviewKey): GradeLog {
  const known = new Set(key.items.map(({ item }) => item));
  const log = new GradeLog();
  for (const [at, text] of lines.entries()) {
    const parsed = lineSchema.safeParse(parseJson(text));
    const isFirst = at === 0;
    if (!parsed.success || (parsed.data.kind === 'review') !== isFirst) {
      throw badLine(file, at + 1, 'is no line of a file of grades. Restore the file from a copy');
    }
    const line = parsed.data;
    if ('grades' in line && line.grades.some(({ item }) => !known.has(item))) {
      throw badLine(file, at + 1, 'grades an item that the key does not have. Name the key of this review');
    }
    log.add(line);
  }
  return log;
}

function badLine(file: string, line: number, why: string): PlimsollError {
  return new PlimsollError('invalid-input', `${file}, line ${line}: it ${why}.`, { place: { file, line } });
}

const FIRST_BYTES = 200;

/** Whether a file has the grades of the page, and is no table. False if it cannot be read. */
export function isGradesFile(file: string): boolean {
  try {
    const bytes = Buffer.alloc(FIRST_BYTES);
    const descriptor = openSync(file, 'r');
    try {
      readSync(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
    const [first = ''] = bytes.toString('utf8').split('\n');
    return lineSchema.safeParse(parseJson(first)).data?.kind === 'review';
  } catch {
    return false;
  }
}

export interface ReadGrades {
  /** Reviewer -> item -> quality, 0 to 1. */
  readonly ratings: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Item -> quality, where a disagreement was settled. */
  readonly settled: ReadonlyMap<string, number>;
  /** Items that were graded, and of which nobody could tell. */
  readonly undecided: ReadonlySet<string>;
}

/** The grades of the page, also while it is served. @throws PlimsollError as parseGrades; `io` */
export function readGrades(file: string, key: ReviewKey): ReadGrades {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PlimsollError('io', `The grades ${file} cannot be read (${systemErrorCode(cause)}).`, {
      place: { file },
      cause,
    });
  }
  const log = parseGrades(file, text.split('\n').slice(0, -1), key);
  const settled = [...log.settled.values()].flatMap(({ grades }) =>
    grades.flatMap((one) => {
      const quality = qualityOf(one);
      return quality === undefined ? [] : [[one.item, quality] as const];
    }),
  );
  return {
    ratings: log.ratings,
    settled: new Map(settled),
    undecided: log.undecided,
  };
}
