import { seededRandom } from '../../router/statistics/index.ts';
import type { TaskLabel } from '../../router/tasks/index.ts';
import type { TaskText } from './task-texts.ts';

/** How a task is put into words. */
export interface Instruction {
  readonly task: TaskLabel;
  readonly language: string;
  /** `{name}` is filled from the slots; `{text}` with material, which otherwise goes before or after. */
  readonly text: string;
  /** The kind of material that it works on; left out if it stands alone. */
  readonly material?: string | undefined;
}

/** Something that an instruction can work on: a letter, a log, code, a schema. */
export interface Material {
  readonly kind: string;
  readonly language: string;
  readonly text: string;
}

/** What may stand for `{name}` in an instruction. */
export type Slots = Readonly<Record<string, readonly string[]>>;

export interface Phrases {
  readonly instructions: readonly Instruction[];
  readonly materials: readonly Material[];
  readonly slots: Slots;
}

/** Texts made of one instruction. One that has neither material nor slots is one text. */
const VARIANTS = { withMaterial: 5, withSlots: 4 } as const;

/** How people put an instruction (i) and what it works on (m) together. */
const LAYOUTS: readonly ((i: string, m: string) => string)[] = [
  (i, m) => `${i}\n\n${m}`,
  (i, m) => `${i}\n${m}`,
  (i, m) => `${i} ${m}`,
  (i, m) => `${i} "${m}"`,
  (i, m) => `${i}\n\n"""\n${m}\n"""`,
  (i, m) => `${i}\n\nText: ${m}`,
  (i, m) => `${i}\n\n<input>\n${m}\n</input>`,
  (i, m) => `${m}\n\n${i}`,
  (i, m) => `Input:\n${m}\n\n${i}`,
];

const OPENINGS = ['Hi, ', 'Hello! ', 'Please help me. ', 'Hey - ', 'Good afternoon. '];
const CLOSINGS = [' Thanks!', ' Thank you.', ' pls', ' It is for work.'];

/** Shares of the texts. */
const LOWER_CASE = 0.15;
const WITH_OPENING = 0.12;
const WITH_CLOSING = 0.1;
const OTHER_LANGUAGE = 0.2;
const SEVERAL_MATERIALS = 0.25;

/**
 * Texts of every task. All tasks of one kind work on the same material, so that what tells them apart is the instruction. The same phrases
 * and seed give the same texts.
 */
export function composeTexts({ instructions, materials, slots }: Phrases, seed: number): TaskText[] {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const fill = (text: string) =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
      Object.hasOwn(slots, name) ? pick(slots[name]!) : whole,
    );

  function materialFor({ material, language, task }: Instruction): string {
    const ofKind = materials.filter(({ kind }) => kind === material);
    const own = ofKind.filter((one) => one.language === language);
    const otherLanguage = own.length === 0 || random() < (task === 'translation' ? 0.5 : OTHER_LANGUAGE);
    const from = otherLanguage ? ofKind : own;
    const first = pick(from).text;
    return random() < SEVERAL_MATERIALS && material === 'text' ? `${first}\n\n${pick(from).text}` : first;
  }

  function spoken(text: string): string {
    const cased = random() < LOWER_CASE ? text.toLowerCase() : text;
    const opened = random() < WITH_OPENING ? pick(OPENINGS) + cased : cased;
    return random() < WITH_CLOSING ? opened + pick(CLOSINGS) : opened;
  }

  function compose(instruction: Instruction): string {
    const text = fill(instruction.text);
    if (instruction.material === undefined) return spoken(text);
    const material = materialFor(instruction);
    if (text.includes('{text}')) return text.replace('{text}', () => material);
    return pick(LAYOUTS)(spoken(text), material);
  }

  return instructions.flatMap((instruction, line) => {
    const texts = new Set<string>();
    for (let i = 0; i < variantsOf(instruction); i++) texts.add(compose(instruction));
    return Array.from(texts, (text, i) => ({
      id: `composed-${line + 1}-${i + 1}`,
      language: instruction.language,
      task: instruction.task,
      text,
    }));
  });
}

function variantsOf({ text, material }: Instruction): number {
  if (material !== undefined) return VARIANTS.withMaterial;
  return text.includes('{') ? VARIANTS.withSlots : 1;
}
