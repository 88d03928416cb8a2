import { z } from 'zod';
import { BadRow, catchBadRow, jsonArray, parseRow } from '../../evals/case-files/index.ts';
import type { CanonicalRow } from '../../evals/cases/index.ts';
import { type Importer, rawName } from './raw-file.ts';

/** The tasks that can be graded from a result file alone, and how the repository grades each. */
const GRADES: Readonly<Record<string, (answer: string, key: string) => boolean>> = {
  crux: sameText,
  gsm: sameNumber,
  'math-l5': sameNumber,
  'numersense-v2': sameNumber,
};
const TASK_NAMES: Readonly<Record<string, string>> = { gsm: 'gsm8k' };

const rowSchema = z
  .looseObject({
    id: z.union([z.string().min(1), z.int()]),
    dataset: z.string(),
    question: z.string().min(1).optional(),
    problem: z.string().min(1).optional(),
    answer: z.string(),
    output: z.array(z.string()).min(1),
  })
  .refine(({ question, problem }) => question ?? problem, { message: 'missing', path: ['question'] });

/**
 * ZeroEval's outputs, one JSON array for each task and model. The answer is taken from the JSON that the model was asked for and graded by
 * the repository's own rules (src/evaluation): the same text on crux, the same first number on the mathematical tasks. An output without
 * an answer is wrong.
 */
export const zeroeval: Importer = {
  format: 'zeroeval',
  describe: 'WildEval/ZeroEval result_dirs: crux, gsm, math-l5, numersense-v2, graded by its rules',
  accepts: 'result_dirs/<task>/<model>.json; the file’s name is the model’s',
  async *rows(files) {
    for (const file of files) {
      const model = rawName(file).replace(/\.json$/, '');
      for await (const { element, parse } of jsonArray(file)) {
        const row = catchBadRow(() => convert(parseRow(rowSchema, parse()), model));
        yield { file, line: element, row };
      }
    }
  },
};

function convert(row: z.output<typeof rowSchema>, model: string): CanonicalRow {
  const { dataset } = row;
  const [output = ''] = row.output;
  const isRight = Object.hasOwn(GRADES, dataset) ? GRADES[dataset] : undefined;
  if (isRight === undefined) {
    throw new BadRow(`cannot be graded; only ${Object.keys(GRADES).join(', ')} can`, 'dataset');
  }
  const answer = extractAnswer(output, model);
  const task = TASK_NAMES[dataset] ?? dataset;
  const quality = answer !== undefined && isRight(answer, row.answer) ? 1 : 0;
  return {
    id: `zeroeval-${task}-${row.id}`,
    source: 'zeroeval',
    task,
    prompt: (row.question ?? row.problem)!,
    outcomes: { [model]: { quality, output_chars: output.length } },
  };
}

/** The value of "answer" in malformed JSON: quoted on one line, quoted over several, unquoted, or with an unquoted key. */
const LOOSE_ANSWERS = [
  /"answer"\s*:\s*"([^"]*?)"/,
  /"answer"\s*:\s*"([\s\S]*?)"/,
  /"answer"\s*:\s*([^,\s]*)/,
  /answer\s*:\s*([^,\s]*)/,
];

/** Llama 3.1 often ends with a box instead of the JSON that it was asked for. */
const BOXED_WITHIN_CHARACTERS = 30;
const BOXED = /\\boxed\{(\w+)\}/;

/**
 * The answer in an output, as src/evaluation/eval_utils.py extracts it: from the first whole JSON object, else from what looks like one,
 * else (Llama 3.1 only) from a box at the end.
 */
export function extractAnswer(output: string, model: string): string | undefined {
  const json = firstObject(output);
  if (json !== undefined && Object.hasOwn(json, 'answer')) return pythonText(json['answer']);
  for (const pattern of LOOSE_ANSWERS) {
    const found = pattern.exec(output);
    if (found !== null) return found[1];
  }
  if (!model.includes('Llama-3.1') || !output.slice(-BOXED_WITHIN_CHARACTERS).includes('boxed')) {
    return undefined;
  }
  return BOXED.exec(output)?.[1];
}

/** The text in the first balanced braces, if it is JSON without its line breaks. Ignores quotes, as the original does. */
function firstObject(output: string): Readonly<Record<string, unknown>> | undefined {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < output.length; at++) {
    if (output[at] === '{' && depth++ === 0) start = at;
    if (output[at] === '}' && depth > 0 && --depth === 0) return parseObject(output.slice(start, at + 1));
  }
  return undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text.replaceAll('\n', ''));
  } catch {
    return undefined;
  }
}

/** A JSON value as Python's str() writes it, since the original compares such texts. */
function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

function pythonRepr(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return value.includes("'") ? `"${value}"` : `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${pythonRepr(key)}: ${pythonRepr(one)}`)
    .join(', ')}}`;
}

const FIRST_NUMBER = /-?\d+(?:\.\d+)?/;
const FRACTION = /^\s*(-?\d+(?:\.\d+)?)\s*\/\s*(-?\d+(?:\.\d+)?)\s*$/;
const SURROUNDING_QUOTES = /^['"]+|['"]+$/g;

/**
 * Whether two answers begin with the same number, as src/evaluation/math_eval.py decides: dollar signs, thousands' commas and
 * units are ignored, a plain fraction is evaluated.
 * @example sameNumber('$1,200 a week', '# 1200') === true;
 */
export function sameNumber(answer: string, key: string): boolean {
  const given = firstNumber(answer);
  return given !== undefined && given === firstNumber(key.replaceAll('#', '').trim());
}

/**
 * Whether two answers are the same text, as src/evaluation/crux_eval.py decides: surrounding quotes are ignored.
 * @example sameText('"ab"', "'ab'") === true;
 */
export function sameText(answer: string, key: string): boolean {
  return unquoted(answer).replaceAll('\n', '\\n') === unquoted(key);
}

function firstNumber(text: string): number | undefined {
  const plain = text.replaceAll('$', '').trim().replaceAll(',', '');
  const fraction = FRACTION.exec(plain);
  if (fraction !== null && Number(fraction[2]) !== 0) return Number(fraction[1]) / Number(fraction[2]);
  const found = FIRST_NUMBER.exec(plain);
  return found === null ? undefined : Number(found[0]);
}

function unquoted(text: string): string {
  return text.replace(SURROUNDING_QUOTES, '');
}
