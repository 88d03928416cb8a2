/** Tags that applications put round the question of a person. */
export const QUESTION_TAGS: ReadonlySet<string> = new Set([
  ...[
    'question',
    'query',
    'user_query',
    'user_question',
    'user-question',
    'userquestion',
    'user_input',
    'user_request',
  ],
  ...['frage', 'pregunta', 'pergunta', 'domanda', 'вопрос', '问题', '用户问题', '質問', '질문'],
]);
const FOREIGN_CONTEXT_TAGS = [
  ...['kontext', 'dokumente', 'contexte', 'contexto', 'documentos', 'contesto', 'documenti', 'контекст'],
  ...[
    '已知信息',
    '参考资料',
    '参考内容',
    '上下文',
    '知识库',
    'コンテキスト',
    '文脈',
    '参考情報',
    '컨텍스트',
    '문맥',
  ],
];
/** Tags that they put round anything else. */
export const CONTEXT_TAGS: ReadonlySet<string> = new Set([
  ...[
    'context',
    'contexts',
    'retrieved_context',
    'document',
    'documents',
    'doc',
    'docs',
    'source',
    'sources',
  ],
  ...[
    'search_results',
    'search_result',
    'results',
    'result',
    'passage',
    'passages',
    'chunk',
    'chunks',
    'excerpt',
  ],
  ...['excerpts', 'snippet', 'snippets', 'knowledge', 'knowledge_base', 'reference', 'references', 'article'],
  ...[
    'articles',
    'background',
    'chat_history',
    'conversation_history',
    'history',
    'conversation',
    'information',
  ],
  ...FOREIGN_CONTEXT_TAGS,
]);

/** Tags that applications put round what they retrieved. A single document may be what a person pasted, and is not among them. */
export const RETRIEVED_TAGS: ReadonlySet<string> = new Set([
  ...[
    'context',
    'contexts',
    'retrieved_context',
    'documents',
    'docs',
    'sources',
    'search_results',
    'results',
  ],
  ...['passages', 'chunks', 'snippets', 'excerpts', 'knowledge', 'knowledge_base'],
  ...FOREIGN_CONTEXT_TAGS,
]);
