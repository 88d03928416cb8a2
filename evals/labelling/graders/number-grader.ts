import { z } from 'zod';
import { acceptedTexts, type Grader, graded } from './grader.ts';

export const numberSchema = z.strictObject({
  type: z.literal('number'),
  tolerance: z.number().min(0).default(0).describe('The largest difference that is right.'),
  relative: z.number().min(0).max(1).default(0).describe('The same as a share of the reference, 0 to 1.'),
  take: z
    .enum(['last', 'first', 'only'])
    .default('last')
    .describe('Which number of the reply counts; only: there must be one alone.'),
  units: z
    .record(z.string().min(1), z.number().positive())
    .default({})
    .describe(
      'What a unit behind a number multiplies it with: { km: 1000, m: 1 }. A number without one counts as it is.',
    ),
  decimal_comma: z
    .boolean()
    .default(false)
    .describe('1.234,5 is one thousand two hundred thirty-four and a half.'),
});

type NumberOptions = Pick<z.output<typeof numberSchema>, 'units' | 'decimal_comma'>;

/** Binary fractions of decimal numbers: 0.1 + 0.2 is 0.3. */
const ROUNDING = 1e-9;

/** As large as the reference: |x - r| <= max(tolerance, relative |r|). A reply without a number is wrong. */
export function numberGrader(options: z.output<typeof numberSchema>): Grader {
  const { tolerance, relative, take } = options;
  return {
    type: 'number',
    needsReference: true,
    grade({ reply, reference }) {
      const found = numbersIn(reply, options);
      const value = take === 'last' ? found.at(-1) : found[0];
      if (value === undefined || (take === 'only' && found.length > 1)) return graded(0);
      return graded(
        acceptedTexts(reference).some((text) => {
          const right = numbersIn(text, options).at(-1);
          return right !== undefined && isNear(value, right, Math.max(tolerance, relative * Math.abs(right)));
        }),
      );
    },
  };
}

export function isNear(value: number, right: number, tolerance: number): boolean {
  return Math.abs(value - right) <= tolerance + ROUNDING * Math.max(1, Math.abs(right));
}

/** Groups of three digits parted by commas, thin spaces or underscores; a sign only where no word or number is before it. */
const NUMBER =
  /(?<![\p{L}\p{N}_.])[-+−]?(?:(?:\d{1,3}(?:[,_\u202f\u00a0]\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?/giu;
const NUMBER_WITH_COMMA =
  /(?<![\p{L}\p{N}_,])[-+−]?(?:(?:\d{1,3}(?:[._\u202f\u00a0]\d{3})+|\d+)(?:,\d+)?|,\d+)(?:e[-+]?\d+)?/giu;
const UNIT = /^\s?([\p{L}%°µ²³]+(?:\/[\p{L}²³]+)?)/u;
/** Longer texts are read from their end. */
const LONGEST_READ = 100_000;

/** The numbers of a text, each times what its unit means. */
function numbersIn(text: string, { units, decimal_comma: comma }: NumberOptions): number[] {
  const read = text.slice(-LONGEST_READ);
  return [...read.matchAll(comma ? NUMBER_WITH_COMMA : NUMBER)].flatMap((match) => {
    const plain = comma
      ? match[0].replaceAll(/[._\u202f\u00a0]/g, '').replace(',', '.')
      : match[0].replaceAll(/[,_\u202f\u00a0]/g, '');
    const value = Number(plain.replace('−', '-'));
    if (!Number.isFinite(value)) return [];
    const unit = UNIT.exec(read.slice(match.index + match[0].length))?.[1];
    const factor = unit !== undefined && Object.hasOwn(units, unit) ? (units[unit] ?? 1) : 1;
    return [value * factor];
  });
}
