/** A row of a file of labelled cases. */
interface Row {
  readonly id: string;
  readonly prompt: string;
  readonly task: string;
  readonly language: string;
  readonly outcomes: Readonly<Record<string, { readonly quality: number; readonly cost_usd: number }>>;
}

export const CHEAP = 'pinned-small';
export const STRONG = 'pinned-large';

/** Words of six degrees of difficulty. */
const WORDS = [
  'hello thanks weather coffee garden colour',
  'letter invoice address meeting calendar reminder',
  'table column formula percentage average chart',
  'equation triangle probability matrix gradient vector',
  'deadlock linearizable consensus quorum replica byzantine',
  'cohomology functor sheaf homotopy galois adjoint',
].map((line) => line.split(' '));

const CASES = 1_200;

/** JSON Lines of cases in which the cheap model fails the more often the harder the words are. The same each time. */
export function labelledCases(): string {
  const next = sequence(11);
  const rows = Array.from({ length: CASES }, (_, at) => row(at, next));
  return rows.map((one) => `${JSON.stringify(one)}\n`).join('');
}

function row(at: number, next: () => number): Row {
  const degree = Math.floor(next() * WORDS.length);
  const words = Array.from({ length: 7 }, () => WORDS[degree]![Math.floor(next() * 6)]!);
  return {
    id: `case-${at}`,
    prompt: `Please explain ${words.join(' ')} number ${at}`,
    task: degree < 3 ? 'everyday' : 'technical',
    language: at % 5 === 0 ? 'de' : 'en',
    outcomes: {
      [CHEAP]: { quality: next() < 0.95 - 0.15 * degree ? 1 : 0, cost_usd: 0.001 },
      [STRONG]: { quality: next() < 0.96 ? 1 : 0, cost_usd: 0.01 },
    },
  };
}

/** Numbers in [0, 1) by a linear congruence, in whole numbers: the same on every machine. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const DEMANDS = {
  escalation_rate: { min: 0.1, max: 0.95 },
  hard_cases: { file: 'hard-cases.jsonl', min_recall: 0.5 },
  flip_rate: { max: 0.4 },
  valid_for_days: 3_650,
};

/** A suite that fails the artifact, with conditions of each verdict. */
export const STRICT = {
  ...DEMANDS,
  name: 'strict',
  max_quality_loss: 0.12,
  silent_downgrades: { max_rate: 0.05 },
  max_ece: 0.15,
  flip_rate: { max: 0.01 },
  escalation_rate: { min: 0.1, max: 0.6 },
  slices: [
    { name: 'everyday', where: { task: 'everyday' }, max_quality_loss: 0.3 },
    { name: 'technical', where: { task: ['technical'] }, max_quality_loss: 0.3 },
  ],
};

/** A suite that the artifact passes. */
export const LENIENT = { ...DEMANDS, name: 'lenient', max_quality_loss: 0.25 };
