import { PlimsollError } from '../errors.ts';
import { type Html, html } from '../markup.ts';
import type { PageContext } from './page.ts';

export interface ConfirmedFormOptions {
  /** The path of the change. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What opens the question. */
  readonly name: string;
  readonly question: string;
  readonly button: string;
}

/** A change that takes two steps: it is opened, then confirmed. Works without a script. */
export function confirmedForm({ visitor }: PageContext, options: ConfirmedFormOptions): Html {
  const { action, fields, name, question, button } = options;
  return html`<details class="confirm"><summary>${name}</summary><form method="post" action="/dashboard/${action}">
<input type="hidden" name="form" value="${visitor.formToken}">${Object.entries(fields).map(
    ([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`,
  )}
<label class="check"><input type="checkbox" name="sure" value="yes" required> <span>${question}</span></label>
<button class="danger">${button}</button>
</form></details>`;
}

/** @throws PlimsollError `invalid-input` unless the box of the form was ticked */
export function confirmed(form: URLSearchParams): void {
  if (form.get('sure') === 'yes') return;
  throw new PlimsollError('invalid-input', 'Nothing was changed: the change was not confirmed.');
}
