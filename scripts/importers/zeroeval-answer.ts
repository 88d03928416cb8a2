/** The value behind "answer" in broken JSON: quoted on one line, quoted over several, bare, or with a bare key. */
const LOOSE_ANSWERS = [
  /"answer"\s*:\s*"([^"]*?)"/,
  /"answer"\s*:\s*"([\s\S]*?)"/,
  /"answer"\s*:\s*([^,\s]*)/,
  /answer\s*:\s*([^,\s]*)/,
];

/** Llama 3.1 tends to end on a box instead of the JSON it was asked for. */
const BOXED_WITHIN_CHARACTERS = 30;
const BOXED = /\\boxed\{(\w+)\}/;

/**
 * The answer in an output of ZeroEval, as src/evaluation/eval_utils.py takes it: from the first whole JSON object, else from what
 * looks like one, else (Llama 3.1 only) from a box at the end. Undefined if there is none.
 */
export function answerIn(output: string, model: string): string | undefined {
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

/** The first balanced pair of braces, if it is JSON once its line breaks are gone. Quotes are not heeded, as in the original. */
function firstObject(output: string): Readonly<Record<string, unknown>> | undefined {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < output.length; at++) {
    if (output[at] === '{' && depth++ === 0) start = at;
    if (output[at] === '}' && depth > 0 && --depth === 0) return objectOf(output.slice(start, at + 1));
  }
  return undefined;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text.replaceAll('\n', ''));
  } catch {
    return undefined;
  }
}

/** What Python's str() makes of a value of JSON, since the original compares such texts. */
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
