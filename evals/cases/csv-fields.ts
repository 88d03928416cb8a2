/** Columns that describe the prompt, in both layouts. */
const PROMPT_FIELDS = ['id', 'prompt', 'context', 'system', 'key', 'group', 'task', 'source'];

/** Columns that describe an outcome, beside the quality: bare in the long layout, behind `<model>.` in the wide one. */
const AMOUNT_FIELDS = ['input_tokens', 'output_tokens', 'cost_usd', 'latency_ms'];

const QUALITY_FIELD = /^quality(_\w+)?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether a column, without the model before it, holds a number of an outcome. */
export function isOutcomeField(name: string, qualityField: string): boolean {
  return name === qualityField || QUALITY_FIELD.test(name) || AMOUNT_FIELDS.includes(name);
}

/** The fields of a row that describe its prompt. Text that is wrapped on purpose, the prompt, is left as it is. */
export function promptFields(cells: ReadonlyMap<string, string>): Record<string, string> {
  const given = PROMPT_FIELDS.filter((field) => cells.has(field));
  return Object.fromEntries(
    given.map((field) => [field, field === 'prompt' ? cells.get(field)! : cells.get(field)!.trim()]),
  );
}

/** The number in a cell; what is no plain number ("0,5", "NaN", "yes") stays text and is rejected where a number is asked for. */
export function cellValue(cell: string): number | string {
  const text = cell.trim();
  return NUMBER.test(text) ? Number(text) : text;
}
