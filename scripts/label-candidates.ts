import type { LabelCandidate } from '../evals/labelling/index.ts';
import { ladderFrom } from './flags.ts';
import { UsageError } from './usage-error.ts';

/**
 * The candidates of `--models`. Outcomes bear the name of their model, by which an artifact knows what it learned from: a name of the ladder may stand for
 * another model tomorrow.
 * @param ladder candidate -> model, of the configuration
 * @throws UsageError if a name is not known, or two stand for one model
 */
export function labelCandidates(models: string, ladder: Readonly<Record<string, string>>): LabelCandidate[] {
  const candidates = ladderFrom(models).map((text) => candidateFrom(text, ladder));
  const twice = candidates.find(({ name }, i) => candidates.findIndex((one) => one.name === name) < i);
  if (twice === undefined) return candidates;
  throw new UsageError(`--models ${models} names ${twice.name} twice: candidates are different models.`);
}

function candidateFrom(text: string, ladder: Readonly<Record<string, string>>): LabelCandidate {
  const at = text.indexOf('=');
  if (at > 0) return { name: text.slice(0, at), model: text.slice(at + 1) };
  const model = Object.hasOwn(ladder, text) ? ladder[text] : undefined;
  if (model !== undefined) return { name: model, model };
  if (text.includes('/')) return { name: text, model: text };
  const known = Object.keys(ladder).join(', ');
  throw new UsageError(
    `--models: the configuration has no "${text}" in its ladder${known === '' ? '' : `, which has ${known}`}. Write ${text}=<provider>/<model>, or add it to the ladder.`,
  );
}
