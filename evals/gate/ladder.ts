import type { Rung } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/**
 * A ladder of models as rungs, cheapest first: two candidates are called cheap and strong, more by their models' names. Rungs stay as they are.
 * @throws PlimsollError `invalid-input`: fewer than two models, or one of them twice
 */
export function ladderRungs(ladder: readonly (string | Rung)[]): Rung[] {
  const models = ladder.map((rung) => (typeof rung === 'string' ? rung : rung.model));
  const twice = models.find((model, i) => models.indexOf(model) < i);
  if (ladder.length < 2 || twice !== undefined) {
    const what = twice === undefined ? '' : `, each once: ${twice} is given twice`;
    throw new PlimsollError('invalid-input', `A ladder has two or more models, cheapest first${what}.`);
  }
  return ladder.map((rung, i) => {
    if (typeof rung !== 'string') return rung;
    return { candidate: ladder.length > 2 ? rung : i === 0 ? 'cheap' : 'strong', model: rung };
  });
}
