import { PlimsollError } from '../../router/errors.ts';
import { mostSimilar } from './most-similar.ts';

/** Models named in the message, the commonest first. */
const NAMED = 12;

/** Counts in how many rows each model and each quality field stands, to answer a question for one that is not there. */
export class ModelSightings {
  readonly #rowsOfModel = new Map<string, number>();
  readonly #qualityFields = new Set<string>();
  readonly #wantedField: string;

  /** @param wantedField the quality field in use; others are known by their name, which begins with `quality` */
  constructor(wantedField: string) {
    this.#wantedField = wantedField;
  }

  add(outcomes: Readonly<Record<string, object | undefined>>): void {
    for (const [model, outcome] of Object.entries(outcomes)) {
      if (outcome === undefined) continue;
      this.#rowsOfModel.set(model, (this.#rowsOfModel.get(model) ?? 0) + 1);
      for (const field of Object.keys(outcome)) {
        if (field === this.#wantedField || field.startsWith('quality')) this.#qualityFields.add(field);
      }
    }
  }

  /** @throws PlimsollError 'not-found': a model that stands in no row */
  requireModels(models: readonly string[]): void {
    const missing = models.find((model) => !this.#rowsOfModel.has(model));
    if (missing === undefined) return;
    const present = [...this.#rowsOfModel].sort((a, b) => b[1] - a[1]);
    const named = present.slice(0, NAMED).map(([model, rows]) => `${model} (${rows})`);
    const more = present.length > NAMED ? ` and ${present.length - NAMED} more` : '';
    const similar = mostSimilar(missing, [...this.#rowsOfModel.keys()]);
    const hint = similar === undefined ? '' : ` Did you mean ${similar}?`;
    throw new PlimsollError(
      'not-found',
      `No row has an outcome of ${missing}.${hint} Models with their number of rows: ${named.join(', ')}${more}.`,
    );
  }

  /** @throws PlimsollError 'not-found': no outcome has the field */
  requireQualityField(): void {
    const field = this.#wantedField;
    if (this.#qualityFields.has(field)) return;
    const present = [...this.#qualityFields].join(', ') || 'none';
    throw new PlimsollError(
      'not-found',
      `No outcome has a field ${field}. Quality fields in the data: ${present}.`,
    );
  }
}
