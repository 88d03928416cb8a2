import { fieldIn, type JsonEdit, jsonSplices, objectsIn, spliced, textIn } from '../json/index.ts';

const RESULTS = /\/messages\/batches\/[\w.:-]+\/results$/;

/**
 * Anthropic's batches with the address of their results on this server: the official clients fetch what `results_url` says, and would send
 * their key for this server to the provider. A path alone, which they read as below their base URL.
 * @param text the provider's JSON: a batch or a list of batches
 * @param json what JSON.parse makes of it
 * @returns undefined if it names no results
 */
export function withOwnResults(text: string, json: unknown): string | undefined {
  const edits: JsonEdit[] = [];
  const add = (holder: unknown, path: readonly (string | number)[]) => {
    const [own] = RESULTS.exec(textIn(holder, 'results_url') ?? '') ?? [];
    if (own === undefined) return;
    edits.push({ path: [...path, 'results_url'], value: JSON.stringify(`/v1${own}`) });
  };
  add(json, []);
  if (Array.isArray(fieldIn(json, 'data'))) {
    for (const [at, one] of objectsIn(json, 'data').entries()) add(one, ['data', at]);
  }
  return edits.length === 0 ? undefined : spliced(text, jsonSplices(text, edits));
}
