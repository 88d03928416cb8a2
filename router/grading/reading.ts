import { parseJson } from '../json/index.ts';
import { type Html, html } from '../markup.ts';
import type { Message } from '../types.ts';

/** A piece of a text as a person reads it. */
type Block =
  | { readonly kind: 'prose'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly name: string };

/** Longer requests are folded: beginning and end are shown. */
const FOLD_CHARACTERS = 1_200;
const HEAD_CHARACTERS = 420;
const TAIL_CHARACTERS = 300;

/** A request: what was asked last, and what came before it folded. */
export function requestHtml(messages: readonly Message[]): Html {
  const shown = messages.map((message) => ({ message, text: textOf(message) }));
  const lastAsked = shown.findLastIndex(({ message }) => message.role === 'user');
  const from = lastAsked < 0 ? shown.length - 1 : lastAsked;
  const [earlier, asked] = [shown.slice(0, from), shown.slice(from)];
  return html`${earlier.length > 0 && earlierHtml(earlier)}${asked.map(({ message, text }) =>
    asked.length === 1 ? foldable(text) : html`${roleHtml(message)}${foldable(text)}`,
  )}`;
}

function earlierHtml(earlier: readonly { readonly message: Message; readonly text: string }[]): Html {
  const roles = [...new Set(earlier.map(({ message }) => roleOf(message).toLowerCase()))].join(', ');
  const characters = earlier.reduce((sum, { text }) => sum + text.length, 0);
  return html`<details class="earlier"><summary>Before it: ${roles} (${characters.toLocaleString('en')} characters)</summary>
${earlier.map(({ message, text }) => html`${roleHtml(message)}${textHtml(text)}`)}</details>`;
}

function roleHtml(message: Message): Html {
  return html`<h3 class="role">${roleOf(message)}</h3>`;
}

const ROLES: Readonly<Record<string, string>> = {
  system: 'Instructions',
  developer: 'Instructions',
  user: 'Person',
  assistant: 'Model',
  tool: 'Result of a tool',
};

function roleOf({ role }: Message): string {
  return ROLES[role] ?? role;
}

/** What a person can read of a message: its text, and what else it holds as JSON. */
function textOf({ role: _, content, ...others }: Message): string {
  const parts = typeof content === 'string' ? [content] : (content ?? []).map(partText);
  const calls = others['tool_calls'];
  return [...parts, ...(calls == null ? [] : [fenced(calls)])].filter((one) => one !== '').join('\n\n');
}

function partText(part: Readonly<Record<string, unknown>>): string {
  if (typeof part['text'] === 'string') return part['text'];
  const type = String(part['type']);
  return /image|audio|file|video/.test(type) ? `[${type}, not shown here]` : fenced(part);
}

function fenced(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``; // laid out with the other code
}

function foldable(text: string): Html {
  if (text.length <= FOLD_CHARACTERS) return textHtml(text);
  const head = text.slice(0, HEAD_CHARACTERS).replace(/\s+\S{0,30}$/, ''); // whole words, if there are any
  const tail = text.slice(-TAIL_CHARACTERS).replace(/^\S{0,30}\s+/, '');
  const left = (text.length - head.length - tail.length).toLocaleString('en');
  return html`<div class="folded"><div class="preview">${textHtml(`${head} …`)}
<p class="cut">… ${left} characters are folded …</p>
${textHtml(`… ${tail}`)}</div>
<details><summary>All of it (${text.length.toLocaleString('en')} characters)</summary>${textHtml(text)}</details></div>`;
}

/** A reply, whole. */
export function replyHtml(text: string): Html {
  return text.trim() === '' ? html`<p class="muted">The reply is empty.</p>` : textHtml(text);
}

/** What is right, as the case says it. */
export function referenceHtml(reference: unknown): Html {
  return textHtml(typeof reference === 'string' ? reference : JSON.stringify(reference));
}

/** A text in paragraphs, each in its own direction of writing, with code and JSON laid out for reading. No word of it is changed. */
export function textHtml(text: string): Html {
  return html`<div class="text">${blocksOf(text).map((block) =>
    block.kind === 'prose' ? proseHtml(block.text) : codeHtml(block.text, block.name),
  )}</div>`;
}

function proseHtml(text: string): Html[] {
  return text
    .split(/\n[\t ]*\n/)
    .filter((one) => one.trim() !== '')
    .map((one) => html`<p dir="auto">${one.replace(/^\n+|\s+$/g, '')}</p>`);
}

/** Focusable, so that it scrolls by keyboard too. */
function codeHtml(text: string, name: string): Html {
  return html`<div class="code" role="group" aria-label="${name}" tabindex="0" dir="ltr"><span class="language" aria-hidden="true">${name}</span><pre><code>${text}</code></pre></div>`;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[\t ]*([\w+#.-]{0,20})/;

function blocksOf(text: string): Block[] {
  const json = laidOutJson(text);
  if (json !== undefined) return [{ kind: 'code', text: json, name: 'JSON' }];
  const blocks: Block[] = [];
  let open: { readonly fence: string; readonly name: string } | undefined;
  let lines: string[] = [];
  const end = () => {
    const body = lines.join('\n');
    if (open !== undefined) {
      const laidOut = /^json/i.test(open.name) ? laidOutJson(body) : undefined;
      blocks.push({ kind: 'code', text: laidOut ?? body, name: open.name === '' ? 'Code' : open.name });
    } else if (body.trim() !== '') blocks.push({ kind: 'prose', text: body });
    lines = [];
  };
  for (const line of text.split('\n')) {
    const [, fence = '', name = ''] = FENCE.exec(line) ?? [];
    const closes = open !== undefined && fence.startsWith(open.fence) && name === '';
    if (fence === '' || (open !== undefined && !closes)) {
      lines.push(line);
      continue;
    }
    end();
    open = closes ? undefined : { fence, name };
  }
  end();
  return blocks;
}

const JSON_TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Levels of JSON that are laid out. The indentation of deeper JSON grows with the square of its length: 10 kB would become 100 MB. */
const DEEPEST = 100;

/**
 * JSON with a value on each line. Works on the text, not on its values: `1.0`, `1e400`, escapes and fields that are there twice stay as they are.
 * @returns undefined unless it is an object or an array of at most 100 levels
 */
export function laidOutJson(text: string): string | undefined {
  const trimmed = text.trim();
  if (!/^[{[]/.test(trimmed) || parseJson(trimmed) === undefined) return undefined;
  let depth = 0;
  let out = '';
  let last = '';
  const newLine = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of trimmed.matchAll(JSON_TOKEN)) {
    const opened = last === '{' || last === '[';
    if (token === '}' || token === ']') {
      depth--;
      out += opened ? token : newLine() + token;
    } else {
      if (opened) out += newLine();
      out += token;
      if (token === '{' || token === '[') depth++;
      if (depth > DEEPEST) return undefined;
      if (token === ',') out += newLine();
      if (token === ':') out += ' ';
    }
    last = token;
  }
  return out;
}
