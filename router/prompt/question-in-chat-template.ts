/** A chat template: how one family of models has a conversation written into one text. */
interface ChatTemplate {
  /** At the very start of the text. */
  readonly begins: RegExp;
  /** Opens a turn of the person. */
  readonly opens: string;
  /** Closes a turn. */
  readonly closes: string;
  /** How a text ends that the model is to go on with. */
  readonly ends: readonly string[];
}

/** Sources: the `chat_template` of each family's tokenizer_config.json on Hugging Face. */
const TEMPLATES: readonly ChatTemplate[] = [
  // Llama 2, Mistral
  { begins: /^(?:<s>\s{0,9})?\[INST\]/, opens: '[INST]', closes: '[/INST]', ends: ['[/INST]'] },
  // Llama 3
  {
    begins: /^(?:<\|begin_of_text\|>\s{0,9})?<\|start_header_id\|>/,
    opens: '<|start_header_id|>user<|end_header_id|>',
    closes: '<|eot_id|>',
    ends: ['<|start_header_id|>assistant<|end_header_id|>', '<|eot_id|>'],
  },
  // ChatML: Qwen, Yi, Hermes
  {
    begins: /^<\|im_start\|>/,
    opens: '<|im_start|>user',
    closes: '<|im_end|>',
    ends: ['<|im_start|>assistant', '<|im_end|>'],
  },
  // Gemma
  {
    begins: /^(?:<bos>\s{0,9})?<start_of_turn>/,
    opens: '<start_of_turn>user',
    closes: '<end_of_turn>',
    ends: ['<start_of_turn>model', '<end_of_turn>'],
  },
  // Phi
  {
    begins: /^<\|(?:system|user)\|>/,
    opens: '<|user|>',
    closes: '<|end|>',
    ends: ['<|assistant|>', '<|end|>'],
  },
  // Zephyr
  { begins: /^<\|(?:system|user)\|>/, opens: '<|user|>', closes: '</s>', ends: ['<|assistant|>', '</s>'] },
];

const FIRST_UNITS: readonly (string | undefined)[] = ['[', '<'];

/** Llama 2 has the system prompt in the person's first turn. */
const SYSTEM = /^\s*<<SYS>>[\s\S]*?<<\/SYS>>/;

/**
 * The turns of the person in a text that is written in a chat template as a whole, such as `[INST] … [/INST]`, oldest first. Undefined for any
 * other text: one that only talks of a template neither begins nor ends with its marks. No turn is such a text itself.
 */
export function turnsInChatTemplate(text: string): readonly string[] | undefined {
  if (!FIRST_UNITS.includes(text[0])) return undefined; // most texts
  const trimmed = text.trimEnd();
  const template = TEMPLATES.find(
    ({ begins, closes, ends }) =>
      begins.test(trimmed) && trimmed.includes(closes) && ends.some((end) => trimmed.endsWith(end)),
  );
  if (template === undefined) return undefined;
  const turns = turnsBetween(trimmed, template);
  return turns.length > 0 ? turns : undefined;
}

function turnsBetween(text: string, { opens, closes }: ChatTemplate): string[] {
  const turns: string[] = [];
  for (let at = text.indexOf(opens); at >= 0; ) {
    const start = at + opens.length;
    const end = text.indexOf(closes, start);
    if (end < 0) break;
    const turn = text.slice(start, end).replace(SYSTEM, '').trim();
    if (turn !== '') turns.push(turn);
    at = text.indexOf(opens, end + closes.length);
  }
  return turns;
}
