import { EDITOR_SHAPES, TERMINAL_AGENT_SHAPES } from './agent-shapes.ts';
import type { FrameShape, HarnessShape } from './harness-shapes.ts';
import { questionInRetrieval } from './question-in-retrieval.ts';

const ANSWER_PROMPTS = ['Helpful Answer:', 'Direct Answer:', 'Answer:'];

/**
 * Prompt templates of retrieval-augmented chat: the retrieved text goes, the question stays. Each is recognised by its opening and by the
 * marker of its question together; a document that a person pasted has neither, and stays.
 */
const RETRIEVAL_SHAPES: readonly FrameShape[] = [
  {
    name: 'open-webui-citations',
    harness: 'Open WebUI',
    strips: 'the guidelines for citing and the sources',
    kind: 'frame',
    starts: ['### Task:'],
    holds: ['Respond to the user query using the provided context', '<context>'],
    askAfter: ['</context>'],
  },
  {
    name: 'context-tags',
    harness: 'Open WebUI (earlier), Dify and others',
    strips: 'the knowledge between <context> tags and the rules after it',
    kind: 'frame',
    starts: ['Use the following context'],
    holds: ['<context>', '</context>'],
    askAfter: ['Query:', 'Question:'],
    tails: ANSWER_PROMPTS,
  },
  {
    name: 'librechat-files',
    harness: 'LibreChat',
    strips: 'attached files, what was found in them, and the guidelines',
    kind: 'frame',
    starts: ['The user has attached'],
    holds: ['Use the context as your learned knowledge to better answer the user.'],
    askAfter: ['- Avoid mentioning that you obtained the information from the context.'],
  },
  {
    name: 'langchain-stuff',
    harness: 'LangChain RetrievalQA',
    strips: 'the pieces of context',
    kind: 'frame',
    starts: ['Use the following pieces of context to answer'],
    askAfter: ['Question:'],
    tails: ANSWER_PROMPTS,
  },
  {
    name: 'langchain-hub-question-first',
    harness: 'LangChain hub, rlm/rag-prompt',
    strips: 'the retrieved context after the question',
    kind: 'frame',
    starts: ['You are an assistant for question-answering tasks.'],
    holds: ['retrieved context'],
    askAfter: ['Question:'],
    occurrence: 'first',
    askUntil: 'Context:',
  },
  {
    name: 'langchain-hub-question-last',
    harness: 'LangChain hub, variants of rlm/rag-prompt',
    strips: 'the retrieved context before the question',
    kind: 'frame',
    starts: ['You are an assistant for question-answering tasks.'],
    holds: ['retrieved context'],
    askAfter: ['Question:'],
    tails: ANSWER_PROMPTS,
  },
  {
    name: 'llamaindex-answer',
    harness: 'LlamaIndex',
    strips: 'the context between rules of hyphens',
    kind: 'frame',
    starts: ['Context information is below.', 'Context information from multiple sources is below.'],
    holds: ['----------', 'Given the '],
    askAfter: ['Query:', 'Question:'],
    tails: ANSWER_PROMPTS,
  },
  {
    name: 'llamaindex-refine',
    harness: 'LlamaIndex',
    strips: 'the answer so far and the further context',
    kind: 'frame',
    starts: ['The original query is as follows:'],
    askAfter: ['The original query is as follows:'],
    occurrence: 'first',
    askUntil: 'We have provided an existing answer:',
  },
  {
    name: 'haystack-documents',
    harness: 'Haystack',
    strips: 'the documents',
    kind: 'frame',
    starts: ['Given these documents, answer the question.'],
    holds: ['Documents:'],
    askAfter: ['Question:', 'Query:'],
    tails: ANSWER_PROMPTS,
  },
  {
    name: 'crewai-task',
    harness: 'CrewAI',
    strips: 'the expected answer, the context and the encouragement after the task',
    kind: 'frame',
    starts: ['Current Task:'],
    holds: ['Begin!'],
    askAfter: ['Current Task:'],
    occurrence: 'first',
    askUntil: 'This is the ',
  },
  {
    name: 'spring-ai-advisor',
    harness: 'Spring AI QuestionAnswerAdvisor',
    strips: 'the context after the question',
    kind: 'frame',
    holds: ['Given the context and provided history information'],
    askUntil: 'Context information is below, surrounded by ---------------------',
  },
];

/** Every shape that is recognised. Where two fit, the first wins. */
export const KNOWN_SHAPES: readonly HarnessShape[] = [
  ...TERMINAL_AGENT_SHAPES,
  ...EDITOR_SHAPES,
  ...RETRIEVAL_SHAPES,
];

/** The known shapes of one kind, in the order of the table. */
export function shapesOfKind<Kind extends HarnessShape['kind']>(
  kind: Kind,
): readonly Extract<HarnessShape, { kind: Kind }>[] {
  return KNOWN_SHAPES.filter((shape): shape is Extract<HarnessShape, { kind: Kind }> => shape.kind === kind);
}

/** What a trimmed text shows if a shape is to change it: at least one of these. */
interface Signs {
  /** At its very start. */
  readonly starts?: readonly string[];
  /** Anywhere in it. */
  readonly holds?: readonly string[];
}

/** Blocks are looked for at the end of a text as well, and a block ends with a tag. */
const END_OF_TAG = '>';

const SIGNS = KNOWN_SHAPES.map(signsOf);
const HELD = SIGNS.flatMap(({ holds = [] }) => holds);
/** By their first unit: most texts start with a letter that few shapes or none start with. */
const STARTS = byFirstUnit([...new Set(SIGNS.flatMap(({ starts = [] }) => starts))]);

/**
 * False only if no known shape changes the trimmed text, which is so for most of what people write: a cheap look that spares the
 * search for each shape. True says nothing yet.
 */
export function showsHarness(trimmed: string): boolean {
  if (trimmed.endsWith(END_OF_TAG)) return true;
  const starts = STARTS[trimmed.charCodeAt(0)];
  if (starts?.some((start) => trimmed.startsWith(start))) return true;
  return HELD.some((held) => trimmed.includes(held)) || questionInRetrieval(trimmed) !== undefined;
}

function signsOf(shape: HarnessShape): Signs {
  switch (shape.kind) {
    case 'block':
    case 'wrapper':
      return { starts: ['<'] };
    case 'span':
      return { starts: shape.opens };
    case 'tail':
      return { holds: [shape.opens] };
    case 'part':
      return { starts: shape.starts };
    case 'message':
      return { starts: shape.starts.map(({ opens }) => opens) };
    case 'frame':
      return shape.starts === undefined ? { holds: [heldByFrame(shape)] } : { starts: shape.starts };
  }
}

/** A frame needs all that it lists, so the first is enough. A frame that lists nothing gives the empty text, which every text contains. */
function heldByFrame({ holds = [] }: FrameShape): string {
  return holds[0] ?? '';
}

function byFirstUnit(starts: readonly string[]): readonly (readonly string[])[] {
  const firstUnits = starts.map((start) => start.charCodeAt(0));
  return Array.from({ length: Math.max(...firstUnits) + 1 }, (_, unit) =>
    starts.filter((_start, index) => firstUnits[index] === unit),
  );
}
