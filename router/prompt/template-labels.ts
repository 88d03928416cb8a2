/** What a labelled section of a prompt template holds. */
export type SectionKind = 'question' | 'context' | 'person-turn' | 'model-turn' | 'other';

/** A line that labels what follows, such as `Context:`, `## Question` or `[2] …`. Offsets are in the text. */
export interface Label {
  readonly kind: SectionKind;
  /** One of several numbered pieces of context. */
  readonly isChunk: boolean;
  readonly lineStart: number;
  /** Where the labelled text begins: on the same line after the colon, or on the next line. */
  readonly bodyStart: number;
}

const LONGEST_LABEL = 60;
const COLON = 0x3a;
const FULL_WIDTH_COLON = 0xff1a;

/** Labels as templates write them, without adjectives (WITHOUT_ADJECTIVES) and numbers. English first, then other languages. */
const KINDS: ReadonlyMap<string, SectionKind> = new Map([
  ...kind('question', [
    ...['question', 'questions', 'query', 'q', 'follow up question', 'follow-up question', 'follow up input'],
    ...[
      'user question',
      "user's question",
      'user query',
      "user's query",
      'user input',
      'user request',
      'user prompt',
    ],
    ...['customer question', 'customer query', 'question to answer', 'search query'],
    ...['user asks', 'customer asks', 'user message', 'customer message', 'question is'],
    ...[
      'frage',
      'nutzerfrage',
      'frage des nutzers',
      'pregunta',
      'pergunta',
      'domanda',
      'vraag',
      'pytanie',
      'вопрос',
      '问题',
      '用户问题',
      '问',
      '質問',
      'ユーザーの質問',
      '질문',
      'سؤال',
      'प्रश्न',
    ],
  ]),
  ...kind('context', [
    ...[
      'context',
      'contexts',
      'context information',
      'context documents',
      'document',
      'documents',
      'doc',
      'docs',
    ],
    ...[
      'source',
      'sources',
      'source documents',
      'passage',
      'passages',
      'paragraph',
      'paragraphs',
      'excerpt',
      'excerpts',
    ],
    ...['snippet', 'snippets', 'chunk', 'chunks', 'articles', 'search result', 'search results'],
    ...[
      'web search results',
      'result',
      'results',
      'knowledge',
      'knowledge base',
      'knowledge base excerpts',
      'knowledge base articles',
      'background',
      'background information',
    ],
    ...[
      'reference',
      'references',
      'reference material',
      'reference text',
      'information',
      'evidence',
      'facts',
      'memories',
    ],
    ...[
      'chat history',
      'conversation history',
      'history',
      'chat log',
      'conversation',
      'conversation so far',
      'transcript',
    ],
    ...[
      'email thread',
      'e-mail thread',
      'thread',
      'emails',
      'email history',
      'previous emails',
      'ticket history',
    ],
    ...[
      'kontext',
      'kontextinformationen',
      'informationen',
      'quellen',
      'contexte',
      'contexto',
      'contesto',
      'dokumente',
      'documentos',
      'documenti',
    ],
    ...[
      'контекст',
      '上下文',
      '已知信息',
      '已知内容',
      '参考资料',
      '参考内容',
      '知识库',
      '背景',
      '文脈',
      'コンテキスト',
      '文書',
      '資料',
      '参考情報',
      '参考資料',
      '컨텍스트',
      '문맥',
      'سياق',
      'संदर्भ',
    ],
  ]),
  ...kind('person-turn', ['user', 'human', 'customer', 'client', 'visitor', 'me']),
  ...kind('model-turn', [
    'assistant',
    'ai',
    'bot',
    'chatbot',
    'agent',
    'model',
    'chatgpt',
    'claude',
    'support',
  ]),
  ...kind('other', [
    ...[
      'answer',
      'your answer',
      'helpful answer',
      'final answer',
      'response',
      'reply',
      'output',
      'output format',
      'format',
    ],
    ...[
      'instruction',
      'instructions',
      'rule',
      'rules',
      'guideline',
      'guidelines',
      'requirements',
      'constraints',
    ],
    ...['note', 'notes', 'system', 'task', 'standalone question', 'language', 'tone'],
    ...['antwort', 'réponse', 'respuesta', 'resposta', 'risposta', 'ответ', '答案', '回答', '答', '답변'],
  ]),
]);

function kind(of: SectionKind, labels: readonly string[]): (readonly [string, SectionKind])[] {
  return labels.map((label) => [label, of] as const);
}

/** `[3]`, `[doc 3]`, `[Source 3: title]`, `[Source: title]`: a piece of context. */
const PIECE =
  /\[(?:\^?(?:(?:doc|document|source|chunk|passage|snippet|context|result)[ _#-]{0,2})?\d{1,3}(?:\]|[:,|] ?[^\]\n]{0,100}\])|(?:doc|document|source): ?[^\]\n]{1,100}\](?=[ \t\r]*\n))/iy;
const ADJECTIVES =
  /^(?:(?:the|based on|given|answer|your|my|our|this|retrieved|relevant|provided|following|given|additional|supporting|current|latest|new|original|previous|prior|recent|user-provided|here (?:is|are)|some|an?|use(?: only)?) ){1,3}/;
/** `document 2`, `source #2`, `passage [2`, `passage 2 (handbook.pdf)`; a bracket at the end is decoration. */
const NUMBER_OR_NOTE = / ?(?:[#№[]? ?\d{1,3}\]?)?(?: ?\([^()]{0,60}\))?$/;
const DECORATION = new Set('#*=_-–—~|[]【】「」『』《》〈〉`"\' \t'.split(''));

/** `A:` is where the model goes on only at the very end; elsewhere it is an option to choose. */
const SHORT_ANSWER = 'a';

/** The labels of a text in their order. Takes time in proportion to the length. */
export function labelsIn(text: string): Label[] {
  const labels: Label[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const label = labelOnLine(text, start, end);
    if (label !== undefined) labels.push(label);
    start = end + 1;
  }
  return labels;
}

function labelOnLine(text: string, start: number, end: number): Label | undefined {
  const first = skipIndentation(text, start, end);
  if (text[first] === '[') {
    PIECE.lastIndex = first;
    if (PIECE.test(text)) {
      return { kind: 'context', isChunk: true, lineStart: start, bodyStart: PIECE.lastIndex };
    }
  }
  const colon = colonWithin(text, first, Math.min(end, first + LONGEST_LABEL));
  // Without a colon it must be set apart by its form, and stand alone: `## Context`, `[QUESTION]`, `=== Sources ===`, or underlined.
  const isShort = end - first <= LONGEST_LABEL;
  const underlineEnd = colon < 0 && isShort && first < end ? endOfUnderline(text, end + 1) : undefined;
  if (colon < 0 && underlineEnd === undefined && !(isShort && DECORATION.has(text[first]!))) return undefined;
  if (text[first] === '"' && text[colon - 1] === '"') return undefined; // a field of JSON
  const plain = undecorated(text.slice(first, colon < 0 ? end : colon)).toLowerCase();
  const found =
    KINDS.get(plain) ??
    KINDS.get(plain.replace(ADJECTIVES, '').replace(NUMBER_OR_NOTE, '')) ??
    (plain === SHORT_ANSWER && colon === text.length - 1 ? 'other' : undefined);
  if (found === undefined) return undefined;
  return {
    kind: found,
    isChunk: found === 'context' && /\d/.test(plain),
    lineStart: start,
    bodyStart:
      colon < 0 ? Math.min((underlineEnd ?? end) + 1, text.length) : afterDecoration(text, colon + 1, end),
  };
}

/** A line of `=` or `-` below a heading. */
const UNDERLINE = /(?:={3,80}|-{3,80})[ \t\r]*(?=\n|$)/y;

/** Where the underline that begins here ends; undefined if there is none. */
function endOfUnderline(text: string, start: number): number | undefined {
  const unit = text[start];
  if (unit !== '=' && unit !== '-') return undefined; // nearly always
  UNDERLINE.lastIndex = start;
  return UNDERLINE.test(text) ? UNDERLINE.lastIndex : undefined;
}

/** -1 if there is none. Character by character: most lines have none, and a search would run on into the next ones. */
function colonWithin(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit === COLON || unit === FULL_WIDTH_COLON) return at;
  }
  return -1;
}

function skipIndentation(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && (text[at] === ' ' || text[at] === '\t')) at++;
  return at;
}

/** Whether it labels what a person or a model said in a conversation. */
export function isTurn({ kind }: Label): boolean {
  return kind === 'person-turn' || kind === 'model-turn';
}

/** `## **Context**` -> `Context`. */
function undecorated(name: string): string {
  let from = 0;
  let to = name.length;
  while (from < to && DECORATION.has(name[from]!)) from++;
  while (to > from && DECORATION.has(name[to - 1]!)) to--;
  const plain = from === 0 && to === name.length ? name : name.slice(from, to);
  return plain.includes('  ') ? plain.replace(/ {2,}/g, ' ') : plain;
}

/** Past the closing `**` of `**Question:** text`. */
function afterDecoration(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && (text[at] === '*' || text[at] === '_')) at++;
  return at;
}
