/** What a reviewer says about a reply: good enough, not good enough, or that it cannot be told. */
export const GRADES = ['good', 'bad', 'unclear'] as const;
export type Grade = (typeof GRADES)[number];

/** The best score; the worst is 0. */
export const BEST_SCORE = 10;
export const LONGEST_NOTE = 4_000;

/** What was said about one reply, without its name. */
export interface GivenGrade {
  readonly grade: Grade;
  /** Finer than the grade, and then the quality in its place: score / 10. */
  readonly score?: number | undefined;
}

export interface GivenGrades {
  /** In the order in which the replies were shown. */
  readonly grades: readonly GivenGrade[];
  readonly note?: string;
  /** `line` of the entry that the person saw on the screen; 0 if there was none. */
  readonly revision: number;
}

/** What a person has chosen so far; for each reply, in the order shown. */
export interface Chosen {
  readonly grades: readonly { readonly grade?: Grade | undefined; readonly score?: number | undefined }[];
  readonly note?: string | undefined;
}

export type ReadGrades =
  | { readonly given: GivenGrades }
  | { readonly fault: string; readonly chosen: Chosen };

/** The grades of a form; or what is wrong with them, and what was chosen. */
export function readGrades(form: URLSearchParams, replies: number): ReadGrades {
  const note = (form.get('note') ?? '').replaceAll('\r\n', '\n').trim();
  const grades = Array.from({ length: replies }, (_, at) => {
    const score = form.get(`score-${at}`) ?? '';
    return {
      grade: GRADES.find((one) => one === form.get(`grade-${at}`)),
      score: score === '' ? undefined : Number(score),
    };
  });
  const fault = faultOf(grades, note);
  if (fault !== undefined) return { fault, chosen: { grades, note } };
  const given = grades.map(({ grade, score }) => ({
    grade: grade as Grade,
    ...(score !== undefined && { score }),
  }));
  const revision = Number(form.get('revision'));
  return { given: { grades: given, revision, ...(note !== '' && { note }) } };
}

function faultOf(grades: Chosen['grades'], note: string): string | undefined {
  if (grades.some(({ grade }) => grade === undefined))
    return 'Grade each reply, or skip the case. Nothing was saved yet.';
  const isScore = (score: number) => Number.isInteger(score) && score >= 0 && score <= BEST_SCORE;
  if (grades.some(({ score }) => score !== undefined && !isScore(score))) {
    return `A score is a whole number from 0 to ${BEST_SCORE}. Nothing was saved yet.`;
  }
  if (note.length > LONGEST_NOTE)
    return `A note has at most ${LONGEST_NOTE} characters. Nothing was saved yet.`;
  return undefined;
}
