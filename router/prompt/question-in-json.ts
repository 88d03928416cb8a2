import { isObject, type JsonObject, parseJson } from '../json/index.ts';
import { hasInstruction, withoutInstructions } from './instructions.ts';
import { LEAST_CONTEXT } from './standalone-question.ts';

/** What is longer, in UTF-16 units, is not parsed: the text may be made to be expensive. */
const LONGEST = 100_000;
/** A wrapper round the fields, such as `{"input": {…}}`, at most. */
const LEVELS = 2;

/** Names without case, `_` and `-`. */
const QUESTIONS = new Set([
  ...['question', 'query', 'userquestion', 'userquery', 'userinput', 'usermessage', 'customerquestion'],
  ...['frage', 'pregunta', 'pergunta', 'domanda', 'вопрос', '问题', '質問', '질문'],
]);
const CONTEXTS = new Set([
  ...['context', 'contexts', 'retrievedcontext', 'document', 'documents', 'docs', 'retrieveddocuments'],
  ...['source', 'sources', 'passages', 'chunks', 'snippets', 'excerpts', 'searchresults', 'results'],
  ...['knowledge', 'knowledgebase', 'references', 'articles', 'background', 'history', 'chathistory'],
  ...[
    'kontext',
    'contexte',
    'contexto',
    'contesto',
    'контекст',
    '上下文',
    '已知信息',
    'コンテキスト',
    '컨텍스트',
  ],
]);
/** With a reply beside the question the work is to judge or correct it. */
const REPLIES = new Set(['answer', 'answers', 'response', 'completion', 'output', 'prediction', 'reply']);

const HINT = /"[\p{L}_ -]{1,30}"\s*:/u;
const FENCE = /^```(?:json)?[ \t]*\r?\n|\r?\n?```[ \t]*$/gi;

/**
 * The question of a JSON object that holds it beside its context: `{"question": "…", "context": [ … ]}`, alone or after an instruction.
 * Undefined for any other text.
 */
export function questionInJson(text: string): string | undefined {
  const start = text.indexOf('{');
  if (start < 0 || text.length > LONGEST) return undefined;
  const end = text.lastIndexOf('}') + 1;
  if (end <= start || !HINT.test(text.slice(start, start + 200))) return undefined;
  if (!isInstructionAlone(text.slice(0, start)) || !isInstructionAlone(text.slice(end))) return undefined;
  return questionOf(parseJson(text.slice(start, end)), LEVELS);
}

/** Nothing, or only what says how to answer. */
function isInstructionAlone(around: string): boolean {
  const said = around
    .trim()
    .replace(FENCE, '')
    .trim()
    .replace(/(?:^|\n)```(?:json)?$/i, '')
    .trim();
  return said === '' || (hasInstruction(said) && withoutInstructions(said) === '');
}

function questionOf(value: unknown, levels: number): string | undefined {
  if (!isObject(value) || levels === 0) return undefined;
  const [question] = fieldsNamed(value, QUESTIONS);
  const hasContext = fieldsNamed(value, CONTEXTS).some(isContext);
  const hasReply = fieldsNamed(value, REPLIES).some(Boolean);
  if (typeof question === 'string' && hasContext && !hasReply) return question.trim();
  for (const field of Object.values(value)) {
    const inner = questionOf(field, levels - 1);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function fieldsNamed(value: JsonObject, names: ReadonlySet<string>): unknown[] {
  return Object.entries(value)
    .filter(([key]) => names.has(key.toLowerCase().replaceAll(/[_\- ]/g, '')))
    .map(([, field]) => field);
}

function isContext(value: unknown): boolean {
  if (Array.isArray(value) && value.length > 1) return true;
  return value !== undefined && (JSON.stringify(value)?.length ?? 0) >= LEAST_CONTEXT;
}
