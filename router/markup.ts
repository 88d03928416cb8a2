/** Escapes markup in text and in double-quoted attributes, for XML and HTML. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Markup that is safe to send. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | undefined | false | readonly Part[];

/**
 * Markup with values in it. Text is escaped, for elements and for attributes in double quotes; other markup is taken as it is, and
 * `undefined` and `false` are left out.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(strings.reduce((text, part, at) => text + markupOf(values[at - 1]) + part));
}

function markupOf(value: Part): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return escapeMarkup(printable(String(value)));
}

/**
 * Control characters, lone surrogates, and marks that override the direction of writing: they could show another text than the model wrote.
 * Marks that text in Arabic or Hebrew needs stay; a paragraph is isolated, so none reaches beyond it.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u202a-\u202e\ufffe\uffff]/gu;

function printable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, (one) => (one === '\n' || one === '\t' ? one : '\ufffd'));
}
