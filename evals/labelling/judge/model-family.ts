import { PlimsollError } from '../../../router/errors.ts';

/** Beginnings of models' own names -> who trained them. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^(?:gpt|chatgpt|o[1-9]|davinci|codex)/, 'openai'],
  [/^claude/, 'anthropic'],
  [/^(?:gemini|gemma|palm)/, 'google'],
  [/^(?:mi[sx]tral|ministral|codestral|magistral|pixtral|devstral|open-mi[sx]tral)/, 'mistral'],
  [/^(?:meta-)?(?:code)?llama/, 'meta'],
  [/^(?:qwen|qwq)/, 'qwen'],
  [/^deepseek/, 'deepseek'],
  [/^(?:command|aya|c4ai)/, 'cohere'],
  [/^grok/, 'xai'],
  [/^(?:phi|wizardlm)/, 'microsoft'],
  [/^(?:amazon\.)?(?:nova|titan)/, 'amazon'],
  [/^(?:kimi|moonshot)/, 'moonshot'],
  [/^(?:glm|chatglm)/, 'zhipu'],
];

/**
 * Who trained a model, by its name: a judge prefers the replies of its own kind (Panickssery et al., LLM Evaluators Recognize and Favor Their
 * Own Generations, arXiv 2404.13076). A name that is not known is a family of its own, by its first word.
 * @param model `<provider>/<model>`, also with further parts, such as those of routers of models
 */
export function modelFamily(model: string): string {
  const name = (model.split('/').at(-1) ?? model)
    .toLowerCase()
    .replace(/^(?:us|eu|apac|global)\./, '')
    .replace(/^(?:anthropic|meta|mistral|cohere)\./, '');
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? (/^[a-z]+/.exec(name)?.[0] || name);
}

/** @throws PlimsollError `invalid-input` if the judge is of the family of a candidate */
export function requireOtherFamily(judge: string, candidates: readonly string[]): void {
  const same = candidates.find((model) => modelFamily(model) === modelFamily(judge));
  if (same === undefined) return;
  throw new PlimsollError(
    'invalid-input',
    `The judge ${judge} and the candidate ${same} are of one family, and a judge prefers its own. Name a judge of another family, or say --allow-same-family.`,
    { place: { field: 'judge' } },
  );
}
